/** What we need to know of an ELF kernel for x86-64 (little endian, 64 bit); System V ABI, chapter 4 and 5. */

const PT_NOTE = 4;
/** The note that names the PVH entry point: XEN_ELFNOTE_PHYS32_ENTRY of xen/interface/elfnote.h */
const PHYS32_ENTRY = 18;

export function isElf(file: Buffer): boolean {
  return file.subarray(0, 4).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]));
}

/** Whether a boot loader that knows PVH, like QEMU, can start this ELF file. */
export function hasPvhEntry(elf: Buffer): boolean {
  if (!isElf(elf) || elf.length < 64) return false;
  return noteSegments(elf).some((segment) =>
    notesOf(segment).some(({ name, type }) => name === 'Xen' && type === PHYS32_ENTRY),
  );
}

function noteSegments(elf: Buffer): Buffer[] {
  const tableOffset = Number(elf.readBigUInt64LE(32));
  const entrySize = elf.readUInt16LE(54);
  const entries = Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
    const start = tableOffset + index * entrySize;
    return elf.subarray(start, start + entrySize);
  });
  return entries
    .filter((entry) => entry.length >= 56 && entry.readUInt32LE(0) === PT_NOTE)
    .map((entry) => {
      const offset = Number(entry.readBigUInt64LE(8));
      return elf.subarray(offset, offset + Number(entry.readBigUInt64LE(32)));
    });
}

function notesOf(segment: Buffer): { name: string; type: number }[] {
  const notes: { name: string; type: number }[] = [];
  for (let at = 0; at + 12 <= segment.length;) {
    const nameSize = segment.readUInt32LE(at);
    const valueSize = segment.readUInt32LE(at + 4);
    const nameEnd = at + 12 + nameSize;
    notes.push({
      name: segment.toString('latin1', at + 12, Math.max(at + 12, nameEnd - 1)),
      type: segment.readUInt32LE(at + 8),
    });
    at = at + 12 + align4(nameSize) + align4(valueSize);
  }
  return notes;
}

function align4(size: number): number {
  return (size + 3) & ~3;
}
