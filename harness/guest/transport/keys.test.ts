import { utils } from 'ssh2';
import { expect, test } from 'vitest';
import { dropbearPrivateKey, newKeyPair, openSshPrivateKey, publicBlob, publicLine } from './keys.js';

/** What `dropbearkey -t ed25519` of dropbear 2025.88 wrote, and the public key that it printed. */
const DROPBEAR_KEY =
  'AAAAC3NzaC1lZDI1NTE5AAAAQKg3bfmpc5zdMBhfzQVX3bso8kSwy3xspyWPg4x1rPCv7rIhZTeri5rFBN/hmW0ek0KfUxGm2GAMw89NHTy3nc4=';
const DROPBEAR_PUBLIC = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO6yIWU3q4uaxQTf4ZltHpNCn1MRpthgDMPPTR08t53O';

test('host keys are in the format that dropbear writes itself', () => {
  const file = Buffer.from(DROPBEAR_KEY, 'base64');
  const pair = { seed: file.subarray(-64, -32), publicKey: file.subarray(-32) };
  expect(dropbearPrivateKey(pair).equals(file)).toBe(true);
  expect(publicLine(pair)).toBe(DROPBEAR_PUBLIC);
});

test('every client key can be read and signs what its public half verifies', () => {
  for (let n = 0; n < 500; n++) {
    const pair = newKeyPair();
    const secret = utils.parseKey(openSshPrivateKey(pair));
    const open = utils.parseKey(publicLine(pair));
    if (secret instanceof Error || open instanceof Error) throw new Error('a key is unreadable');
    expect(secret.getPublicSSH().equals(publicBlob(pair))).toBe(true);
    expect(open.verify('message', secret.sign('message'))).toBe(true);
  }
});

test('two guests never share a key', () => {
  expect(newKeyPair().seed.equals(newKeyPair().seed)).toBe(false);
});
