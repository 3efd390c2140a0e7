import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedGuest } from '../testing/guest.js';
import { loadModuleLine, readLine, toolLine, unloadModuleLine, writeLine } from './lines.js';
import { quote } from '../base/sh-quote.js';

/** With the shell that the lines are for: the guest's busybox. Any other command that ran would leave a file behind. */
const guest = sharedGuest('none');
const SOON = { timeoutMs: 60_000 };
const BATCH = 100;

/** By way of standard input: so many lines are more than an SSH server takes as a command. */
const run = async (lines: readonly string[]): Promise<string> => {
  const { stdout } = await guest().exec('sh', { ...SOON, stdin: `${lines.join('\n')}\n` });
  return stdout.toString();
};

const evil = fc.oneof(
  fc.constantFrom(
    "'; touch /tmp/owned; '", '$(touch /tmp/owned)', '`touch /tmp/owned`', '"; touch /tmp/owned; "', '\n touch /tmp/owned\n', "'\\''",
    '-n', '-e \\x41', '\\', '$HOME', '*', '~', '#', '&', '|', '>', '!!', "a'b", '${IFS}', ';', '&& touch /tmp/owned', '--', '%s%n', '\t',
  ),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
).filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text); // prettier-ignore

test('no value gets out of its place in a line', { timeout: 300_000 }, async () => {
  await run(['mkdir -p /tmp/box']);
  const values = fc.sample(evil, 1000);
  for (let at = 0; at < values.length; at += BATCH) {
    const some = values.slice(at, at + BATCH);
    const script = some.map(
      (value) => writeLine('/tmp/box/written', value).text + '; cat /tmp/box/written; echo END',
    );
    expect(await run(script)).toBe(some.map((value) => `${value}\nEND\n`).join(''));
    const other = some.flatMap((value) => [
      readLine(`/tmp/box/${value}`).text,
      loadModuleLine(value, [value]).text,
      unloadModuleLine(value).text,
      toolLine('true', [value]).text,
    ]);
    // `--` is none of theirs: a module whose name is an option may list modules, but runs nothing
    await run(other.map((line) => `(${line}) < /dev/null > /dev/null 2>&1`));
    const words = some.map((value) => `printf '%s\\0' ${quote(value)}`);
    expect(await run(words)).toBe(some.map((value) => `${value}\0`).join(''));
  }
  expect(await run(['ls -A /tmp'])).toBe('box\n');
});
