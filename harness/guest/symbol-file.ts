/** A name in /proc/kallsyms. */
interface KernelSymbol {
  readonly address: bigint;
  readonly isCode: boolean;
  readonly name: string;
}

/** Modules are loaded from here on; Documentation/arch/x86/x86_64/mm.rst. */
const MODULES_BEGIN = 0xffffffffc0000000n;
/** Below it are offsets of per-CPU variables. */
const KERNEL_BEGIN = 0xffffffff80000000n;
const PAGE = 0xfffn;

const NOBITS = 8;
const SYMTAB = 2;
const STRTAB = 3;
const HEADER_SIZE = 64;
const SYMBOL_SIZE = 24;

/**
 * An ELF file with nothing but the symbols of a running kernel and of its modules, from the text of /proc/kallsyms: it
 * serves a debugger for any kernel, be it stripped or moved. Several symbols may have one name, as static functions do.
 * Source: elf(5).
 */
export function symbolFile(kallsyms: string): Buffer {
  const symbols = readSymbols(kallsyms);
  // what is in no section has no name for gdb when it looks at an address
  const areas = [
    symbols.filter(({ address }) => address < MODULES_BEGIN),
    symbols.filter(({ address }) => address >= MODULES_BEGIN),
  ].filter((area) => area.length > 0);

  const names = stringTable();
  const table = Buffer.alloc(SYMBOL_SIZE * (symbols.length + 1));
  let index = 1;
  for (const [number, area] of areas.entries()) {
    for (const { address, isCode, name } of area) {
      const at = SYMBOL_SIZE * index++;
      table.writeUInt32LE(names.add(name), at);
      table.writeUInt8(isCode ? 2 : 1, at + 4);
      table.writeUInt16LE(number + 1, at + 6);
      table.writeBigUInt64LE(address, at + 8);
    }
  }

  const sectionNames = stringTable();
  const nameTable = names.bytes();
  const symtab = areas.length + 1;
  const sections: readonly Section[] = [
    ...areas.map((area, number) => {
      const addresses = area.map(({ address }) => address).sort((a, b) => (a < b ? -1 : 1));
      const begin = (addresses[0] ?? 0n) & ~PAGE;
      const size = ((addresses.at(-1) ?? 0n) | PAGE) + 1n - begin;
      const name = sectionNames.add(number === 0 ? '.kernel' : '.modules');
      return { name, type: NOBITS, flags: 6, address: begin, bytes: Buffer.alloc(0), size };
    }),
    {
      name: sectionNames.add('.symtab'),
      type: SYMTAB,
      bytes: table,
      link: symtab + 1,
      info: symbols.length + 1,
      entry: SYMBOL_SIZE,
    },
    { name: sectionNames.add('.strtab'), type: STRTAB, bytes: nameTable },
    { name: sectionNames.add('.shstrtab'), type: STRTAB, bytes: sectionNames.bytes() },
  ];

  let offset = HEADER_SIZE;
  const headers: Buffer[] = [Buffer.alloc(HEADER_SIZE)];
  for (const section of sections) {
    headers.push(sectionHeader(section, offset));
    offset += section.bytes.length;
  }
  return Buffer.concat([
    fileHeader(offset, headers.length),
    ...sections.map(({ bytes }) => bytes),
    ...headers,
  ]);
}

function readSymbols(kallsyms: string): KernelSymbol[] {
  return kallsyms.split('\n').flatMap((line) => {
    const [, digits, type = '', name = ''] = /^([0-9a-f]{16}) (\w) (\S+)/.exec(line) ?? [];
    const address = BigInt(`0x${digits ?? '0'}`);
    return address < KERNEL_BEGIN ? [] : [{ address, isCode: /[tw]/i.test(type), name }];
  });
}

interface Section {
  readonly name: number;
  readonly type: number;
  readonly bytes: Buffer;
  readonly flags?: number;
  readonly address?: bigint;
  /** where it is not that of its bytes */
  readonly size?: bigint;
  readonly link?: number;
  readonly info?: number;
  readonly entry?: number;
}

function sectionHeader(section: Section, offset: number): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeUInt32LE(section.name, 0);
  header.writeUInt32LE(section.type, 4);
  header.writeBigUInt64LE(BigInt(section.flags ?? 0), 8);
  header.writeBigUInt64LE(section.address ?? 0n, 16);
  header.writeBigUInt64LE(BigInt(offset), 24);
  header.writeBigUInt64LE(section.size ?? BigInt(section.bytes.length), 32);
  header.writeUInt32LE(section.link ?? 0, 40);
  header.writeUInt32LE(section.info ?? 0, 44);
  header.writeBigUInt64LE(1n, 48);
  header.writeBigUInt64LE(BigInt(section.entry ?? 0), 56);
  return header;
}

/** Of an executable for x86-64 without segments. */
function fileHeader(sectionsAt: number, sections: number): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(sectionsAt), 40);
  header.writeUInt16LE(HEADER_SIZE, 52);
  header.writeUInt16LE(HEADER_SIZE, 58);
  header.writeUInt16LE(sections, 60);
  header.writeUInt16LE(sections - 1, 62);
  return header;
}

function stringTable(): { add(text: string): number; bytes(): Buffer } {
  const parts = [''];
  let length = 1;
  return {
    add(text) {
      const at = length;
      parts.push(text);
      length += Buffer.byteLength(text) + 1;
      return at;
    },
    bytes: () => Buffer.from(`${parts.join('\0')}\0`),
  };
}
