/** A file or folder of a cpio archive; a folder is one without content. All belong to root. */
export interface ArchiveEntry {
  /** relative, without a leading `./` or `/`; folders before what is in them */
  readonly path: string;
  /** permission bits */
  readonly mode: number;
  readonly content?: Buffer;
}

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

/**
 * A cpio archive in the `newc` format, as the kernel's initramfs takes it
 * (Documentation/driver-api/early-userspace/buffer-format.rst). The kernel reads several archives one after the other
 * as one; so this one can stand in front of a compressed initramfs: its length is a multiple of 4, which is all the
 * kernel asks of the place where the next one begins.
 */
export function newcArchive(entries: readonly ArchiveEntry[]): Buffer {
  const members = entries.map((entry, index) => member(entry, index + 1));
  return Buffer.concat([...members, member({ path: 'TRAILER!!!', mode: 0 }, 0)]);
}

function member({ path, mode, content }: ArchiveEntry, inode: number): Buffer {
  const isTrailer = inode === 0;
  const type = content ? S_IFREG : S_IFDIR;
  const name = Buffer.from(`${path}\0`);
  const fields = [
    inode,
    isTrailer ? 0 : type | mode,
    0, // uid
    0, // gid
    content || isTrailer ? 1 : 2, // links
    0, // mtime
    content?.length ?? 0,
    0, // device major and minor
    0,
    0, // major and minor of a device node
    0,
    name.length,
    0, // checksum: only the `crc` format has one
  ];
  const header = Buffer.from('070701' + fields.map((field) => field.toString(16).padStart(8, '0')).join(''));
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(content ?? Buffer.alloc(0))]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
