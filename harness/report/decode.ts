import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';

/** Names the source line of a code address that a kernel log gives as `symbol+0x4c/0x120 [module]`. */
export interface Decoder {
  /** the text with `(file.c:123)` after each address that is known */
  decode(text: string): Promise<string>;
}

const ADDRESS = /\b([A-Za-z_][\w.]*)\+(0x[0-9a-f]+)\/(0x[0-9a-f]+)(?: \[(\w+)[^\]]*\])?/g;
const TOOL_TIMEOUT_MS = 60_000;

/**
 * Decodes with the binutils (nm, addr2line), as the kernel's scripts/decode_stacktrace.sh does.
 * @param vmlinux with debug information; modules (.ko) are looked for below its folder
 */
export function stackDecoder(vmlinux: string): Decoder {
  const symbols = new Map<string, Promise<readonly Symbol[]>>();
  let modules: Promise<ReadonlyMap<string, string>> | undefined;

  const fileOf = async (module: string | undefined): Promise<string | undefined> => {
    if (module === undefined) return vmlinux;
    modules ??= modulesBelow(dirname(vmlinux));
    return (await modules).get(module);
  };

  const lineOf = async (match: RegExpMatchArray): Promise<string | undefined> => {
    const [, name = '', offset = '', size = '', module] = match;
    const file = await fileOf(module);
    if (file === undefined) return undefined;
    const known = symbols.get(file) ?? readSymbols(file);
    symbols.set(file, known);
    const named = (await known).filter((symbol) => symbol.name === name);
    // functions of the same name in several files are told apart by their size, as far as that goes
    const symbol =
      named.find((one) => one.size === BigInt(size)) ?? (named.length === 1 ? named[0] : undefined);
    return symbol && sourceLine(file, symbol.address + BigInt(offset));
  };

  return {
    async decode(text) {
      const lines = new Map<string, string | undefined>();
      for (const match of text.matchAll(ADDRESS)) {
        if (!lines.has(match[0])) lines.set(match[0], await lineOf(match));
      }
      return text.replace(ADDRESS, (address) => {
        const line = lines.get(address);
        return line === undefined ? address : `${address} (${line})`;
      });
    },
  };
}

interface Symbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
}

async function readSymbols(file: string): Promise<Symbol[]> {
  const { stdout } = await execa('nm', ['--print-size', '--defined-only', file], {
    reject: false,
    timeout: TOOL_TIMEOUT_MS,
  });
  return stdout.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]+) ([0-9a-f]+) [tTwW] (\S+)$/.exec(line);
    return match
      ? [
          {
            name: match[3] ?? '',
            address: BigInt(`0x${match[1] ?? '0'}`),
            size: BigInt(`0x${match[2] ?? '0'}`),
          },
        ]
      : [];
  });
}

async function sourceLine(file: string, address: bigint): Promise<string | undefined> {
  const { stdout } = await execa('addr2line', ['-e', file, `0x${address.toString(16)}`], {
    reject: false,
    timeout: TOOL_TIMEOUT_MS,
  });
  const place = stdout.trim().replace(/ \(discriminator \d+\)$/, '');
  if (place === '' || place.startsWith('??')) return undefined;
  // as people name files of the kernel: below the tree, not where it was built
  return place.replace(
    /^.*?\/((?:arch|block|crypto|drivers|fs|include|init|kernel|lib|mm|net|security)\/)/,
    '$1',
  );
}

async function modulesBelow(dir: string): Promise<Map<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  return new Map(
    entries
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ko'))
      .map(({ parentPath, name }) => [basename(name, '.ko').replaceAll('-', '_'), join(parentPath, name)]),
  );
}
