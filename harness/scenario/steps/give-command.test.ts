import { expect, test } from 'vitest';
import { Unmet } from './outcome.js';
import { giveCommand } from './give-command.js';
import type { StepScope } from './scope.js';

const given: string[] = [];
const scope = {
  qmp: (execute: string) => Promise.resolve(given.push(execute)),
} as unknown as StepScope;

test.each([
  ['a command', 'migrate', { uri: 'exec:id' }, ['execute']],
  ['a property', 'device_add', { driver: 'cxl-type3', romfile: '/etc/hostname' }, ['arguments', 'romfile']],
  ['a value', 'device_add', { driver: 'cxl-type3', lsa: '/etc/hostname' }, ['arguments', 'lsa']],
])(
  '%s that a capture has become and a scenario may not say does not reach QEMU',
  async (_, command, args, path) => {
    const refused: unknown = await giveCommand(scope, command, args).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Unmet);
    expect((refused as Unmet).mismatch).toMatchObject({ path, blame: 'scenario' });
    expect(given).toEqual([]);
  },
);
