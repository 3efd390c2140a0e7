import { expect, test } from 'vitest';
import { sshCommand } from './terminal.js';

test('the command to get in can be pasted into a shell and trusts only the guest', () => {
  const ssh = { port: 40022, keyFile: '/my runs/1/id_ed25519', knownHostsFile: '/my runs/1/known_hosts' };
  const command = sshCommand({ ssh });
  expect(command).toMatch(/^ssh -F none -i '\/my runs\/1\/id_ed25519' -p 40022 .* root@127\.0\.0\.1$/);
  expect(command).toContain('StrictHostKeyChecking=yes');
});
