import { generateKeyPairSync } from 'node:crypto';

/** An ed25519 key pair as its two raw halves of 32 bytes. */
export interface KeyPair {
  readonly seed: Buffer;
  readonly publicKey: Buffer;
}

const TYPE = 'ssh-ed25519';

/** (ssh2's own generator makes an unreadable private key once in about 250 calls, so the formats are written here.) */
export function newKeyPair(): KeyPair {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  if (!d || !x) throw new Error('ed25519 keys have a private and a public half');
  return { seed: Buffer.from(d, 'base64url'), publicKey: Buffer.from(x, 'base64url') };
}

/** The public key as SSH sends it (RFC 8709, section 4). */
export function publicBlob({ publicKey }: KeyPair): Buffer {
  return Buffer.concat([sshString(TYPE), sshString(publicKey)]);
}

/** A line of `authorized_keys`; with a host pattern before it, one of `known_hosts`. */
export function publicLine(pair: KeyPair): string {
  return `${TYPE} ${publicBlob(pair).toString('base64')}`;
}

/** The private key in OpenSSH's own format without a passphrase (openssh: PROTOCOL.key); ssh(1) and ssh2 read it. */
export function openSshPrivateKey(pair: KeyPair): string {
  const check = Buffer.alloc(8); // two equal numbers: they only tell a right passphrase from a wrong one
  const secret = Buffer.concat([
    check,
    publicBlob(pair),
    sshString(Buffer.concat([pair.seed, pair.publicKey])),
    sshString(''), // comment
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, n) => n + 1));
  const blob = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    sshString('none'), // cipher
    sshString('none'), // key derivation
    sshString(''), // and its options
    uint32(1), // number of keys
    sshString(publicBlob(pair)),
    sshString(Buffer.concat([secret, padding])),
  ]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}

/** The private key as dropbear keeps its host key (dropbear: buf_put_ed25519_priv_key in src/ed25519.c). */
export function dropbearPrivateKey({ seed, publicKey }: KeyPair): Buffer {
  return Buffer.concat([sshString(TYPE), sshString(Buffer.concat([seed, publicKey]))]);
}

function sshString(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
