import { describe, expect, test } from 'vitest';
import { mail, trimSplat } from './mail.js';
import { fixtureCase, fixtureRun } from './testing/fixture-run.js';

describe('the text for a mailing list', () => {
  test('says what was run on what, and shows of each bad case what to type and what came of it', async () => {
    const { summary, traces } = await fixtureRun();
    const text = await mail(summary, traces);
    expect(text).toContain('6 cases in 1m 56s: 2 pass, 2 fail, 1 skip, 1 known-bug.');
    expect(text).toContain('kernel   7.3.4+deb13-cloud-amd64 (stock: Debian');
    expect(text).toMatch(
      /FAIL: wrong-zone\n[^]*\n {4}# echo region0 > \/sys\/bus\/cxl\/drivers\/cxl_region\/bind\n/,
    );
    expect(text).toMatch(/\n {2}expected {2}Normal\n {2}received {2}Movable\n/);
    expect(text).toMatch(/# echo c > \/proc\/sysrq-trigger {3}-> no answer/);
    expect(text).toContain('Known bugs, which fail as declared:\n  known-bug: ');
    expect(text).not.toContain('refuse-target');
  });

  test('does not repeat the notes of the rig in the kernel log', async () => {
    const { summary, traces } = await fixtureRun();
    expect(await mail(summary, traces)).not.toContain('cxlrig: echo');
  });

  test('puts source lines to addresses when it can', async () => {
    const { summary } = await fixtureRun();
    const panic = await fixtureCase('panic');
    const decoder = {
      decode: (text: string) => Promise.resolve(text.replace(/vpanic\+\S+/, '$& (kernel/panic.c:1)')),
    };
    expect(await mail(summary, [panic], decoder)).toMatch(/vpanic\+0x\w+\/0x\w+ \(kernel\/panic\.c:1\)/);
  });
});

test('a splat is cut to what a reader needs', async () => {
  const { splats } = await fixtureCase('panic');
  const text = trimSplat(splats[0]?.text ?? '');
  expect(text).toMatch(/^Kernel panic - not syncing: sysrq triggered crash\nCPU: /);
  expect(text).toMatch(/\nCall Trace:\n dump_stack_lvl\+0x/);
  expect(text).not.toMatch(/RAX:|Code:|Modules linked in|<TASK>|^\[|\n \? /m);
});
