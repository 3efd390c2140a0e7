import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { RigError } from '../../base/errors.js';
import { hasPvhEntry } from './elf.js';
import { tool } from '../tool.js';

/**
 * The uncompressed kernel inside a bzImage, when QEMU can boot it as it is.
 *
 * QEMU starts an ELF kernel at its PVH entry, which saves the guest from unpacking itself: under TCG that is two and
 * a half seconds of every boot.
 *
 * @returns undefined when the kernel has no PVH entry (CONFIG_PVH is off), or is packed in a way that only it can undo
 * @throws RigError('kernel') when this is no bzImage or is damaged
 */
export async function vmlinuxOf(bzImage: Buffer, name: string): Promise<Buffer | undefined> {
  const payload = payloadOf(bzImage, name);
  const unpack = UNPACKERS.find(({ magic }) => payload.subarray(0, magic.length).equals(magic))?.unpack;
  if (unpack === undefined) return undefined;
  const vmlinux = await unpack(payload, name);
  const expected = payload.readUInt32LE(payload.length - 4);
  if (vmlinux.length !== expected)
    throw damaged(name, `it unpacks to ${vmlinux.length} bytes instead of ${expected}`);
  return hasPvhEntry(vmlinux) ? vmlinux : undefined;
}

// Offsets of the setup header: Documentation/arch/x86/boot.rst
const SETUP_SECTS = 0x1f1;
const HEADER_MAGIC = 0x202;
const PROTOCOL_VERSION = 0x206;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;
/** The first boot protocol that tells where the payload is. */
const PROTOCOL_WITH_PAYLOAD = 0x0208;

function payloadOf(image: Buffer, name: string): Buffer {
  if (image.length < 0x250 || image.toString('latin1', HEADER_MAGIC, HEADER_MAGIC + 4) !== 'HdrS')
    throw new RigError('kernel', `${name} is not a bzImage: it has no setup header`);
  if (image.readUInt16LE(PROTOCOL_VERSION) < PROTOCOL_WITH_PAYLOAD)
    throw new RigError('kernel', `${name} is of a boot protocol before 2.08 (Linux 2.6.26)`);
  // 0 stands for 4, for historical reasons (boot.rst)
  const setupSectors = image.readUInt8(SETUP_SECTS) || 4;
  const start = (setupSectors + 1) * SECTOR + image.readUInt32LE(PAYLOAD_OFFSET);
  const end = start + image.readUInt32LE(PAYLOAD_LENGTH);
  if (end > image.length || end - start < 8)
    throw damaged(name, 'its payload ends behind the end of the file');
  return image.subarray(start, end);
}

/**
 * The formats of the payload by their magic (lib/decompress.c). kbuild appends the unpacked size to each (size_append
 * in scripts/Makefile.lib) except to gzip, which ends in it by itself.
 */
const UNPACKERS: readonly {
  readonly magic: Buffer;
  readonly unpack: (payload: Buffer, name: string) => Promise<Buffer>;
}[] = [
  { magic: Buffer.from([0x1f, 0x8b]), unpack: (payload) => promisify(gunzip)(payload) },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), unpack: through('zstd', '-dc', '--long=31') },
  { magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), unpack: through('xz', '-dc') },
  { magic: Buffer.from([0x02, 0x21, 0x4c, 0x18]), unpack: through('lz4', '-dc') },
];

function through(program: string, ...args: readonly string[]) {
  return (payload: Buffer, name: string) =>
    tool({
      program,
      args,
      purpose: `unpack the kernel inside ${name}`,
      input: payload.subarray(0, payload.length - 4),
    });
}

function damaged(name: string, how: string): RigError {
  return new RigError('kernel', `the kernel ${name} is damaged: ${how}`, 'fetch or build it again');
}
