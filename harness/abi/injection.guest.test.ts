import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedGuest } from '../testing/guest.js';
import { loadModuleLine, readLine, toolLine, unloadModuleLine, writeLine } from './lines.js';
import { quote } from './quote.js';

/** With the shell that the lines are for: the guest's busybox. Any other command that ran would leave a file behind. */
const guest = sharedGuest('none');
const SOON = { timeoutMs: 60_000 };
const BATCH = 100;

const evil = fc.oneof(
  fc.constantFrom(
    "'; touch /tmp/owned; '", '$(touch /tmp/owned)', '`touch /tmp/owned`', '"; touch /tmp/owned; "', '\n touch /tmp/owned\n', "'\\''",
    '-n', '-e \\x41', '\\', '$HOME', '*', '~', '#', '&', '|', '>', '!!', "a'b", '${IFS}', ';', '&& touch /tmp/owned', '--', '%s%n', '\t',
  ),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
).filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text); // prettier-ignore

test('no value gets out of its place in a line', { timeout: 300_000 }, async () => {
  await guest().exec('mkdir -p /tmp/box', SOON);
  const values = fc.sample(evil, 1000);
  for (let at = 0; at < values.length; at += BATCH) {
    const some = values.slice(at, at + BATCH);
    const script = some.map(
      (value) => writeLine('/tmp/box/written', value).text + '; cat /tmp/box/written; echo END',
    );
    const { stdout } = await guest().exec(script.join('\n'), SOON);
    expect(stdout.toString()).toBe(some.map((value) => `${value}\nEND\n`).join(''));
    const other = some.flatMap((value) => [
      readLine(`/tmp/box/${value}`).text,
      loadModuleLine(value, [value]).text,
      unloadModuleLine(value).text,
      toolLine('true', [value]).text,
    ]);
    // `--` is none of theirs: a module whose name is an option may list modules, but runs nothing
    await guest().exec(other.map((line) => `(${line}) < /dev/null > /dev/null 2>&1`).join('\n'), SOON);
    const words = some.map((value) => `printf '%s\\0' ${quote(value)}`);
    const echoed = await guest().exec(words.join('\n'), SOON);
    expect(echoed.stdout.toString()).toBe(some.map((value) => `${value}\0`).join(''));
  }
  const { stdout } = await guest().exec('ls -A /tmp', SOON);
  expect(stdout.toString().trim().split('\n')).toEqual(['box']);
});
