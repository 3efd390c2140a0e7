import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { vmlinuxOf } from './bzimage.js';
import { hasPvhEntry } from './elf.js';

/** An ELF file with one program header, a PT_NOTE with one note. */
function elfWithNote(name: string, type: number): Buffer {
  const elf = Buffer.alloc(200);
  elf.write('\u007fELF', 0, 'latin1');
  elf.writeBigUInt64LE(64n, 32); // e_phoff
  elf.writeUInt16LE(56, 54); // e_phentsize
  elf.writeUInt16LE(1, 56); // e_phnum
  elf.writeUInt32LE(4, 64); // PT_NOTE
  elf.writeBigUInt64LE(120n, 72); // p_offset
  elf.writeBigUInt64LE(24n, 96); // p_filesz
  elf.writeUInt32LE(name.length + 1, 120);
  elf.writeUInt32LE(8, 124);
  elf.writeUInt32LE(type, 128);
  elf.write(name, 132, 'latin1');
  return elf;
}

function bzImage(payload: Buffer): Buffer {
  const head = Buffer.alloc(1024 + 100);
  head.writeUInt8(1, 0x1f1);
  head.write('HdrS', 0x202, 'latin1');
  head.writeUInt16LE(0x020f, 0x206);
  head.writeUInt32LE(100, 0x248);
  head.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([head, payload]);
}

const kernel = elfWithNote('Xen', 18);

describe('the kernel inside a bzImage', () => {
  it('is found by the setup header and unpacked', async () => {
    expect(await vmlinuxOf(bzImage(gzipSync(kernel)), 'test')).toEqual(kernel);
  });

  it('is left packed when it has no PVH entry, which QEMU would need', async () => {
    expect(await vmlinuxOf(bzImage(gzipSync(elfWithNote('GNU', 3))), 'test')).toBeUndefined();
  });

  it('is left packed when its format is unknown', async () => {
    expect(await vmlinuxOf(bzImage(Buffer.from('LZO, for instance')), 'test')).toBeUndefined();
  });

  it('that unpacks to another size than the image says is damaged', async () => {
    const payload = gzipSync(kernel);
    payload.writeUInt32LE(1, payload.length - 4);
    await expect(vmlinuxOf(bzImage(payload), 'test')).rejects.toThrow();
  });

  it('whose payload is cut off is damaged', async () => {
    const whole = bzImage(gzipSync(kernel));
    await expect(vmlinuxOf(whole.subarray(0, whole.length - 10), 'test')).rejects.toThrow(
      'its payload ends behind the end of the file',
    );
  });

  it('is not looked for in another kind of file', async () => {
    await expect(vmlinuxOf(kernel, '/boot/vmlinux')).rejects.toThrow('/boot/vmlinux is not a bzImage');
  });
});

describe('an ELF file', () => {
  it('has a PVH entry when a Xen note of type 18 says so', () => {
    expect(hasPvhEntry(kernel)).toBe(true);
    expect(hasPvhEntry(elfWithNote('Xen', 6))).toBe(false);
    expect(hasPvhEntry(kernel.subarray(0, 40))).toBe(false);
    expect(hasPvhEntry(Buffer.from('#!/bin/sh\n'))).toBe(false);
  });
});
