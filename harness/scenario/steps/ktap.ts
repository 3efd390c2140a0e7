import type { SubtestResult } from '../../trace/trace.js';

/**
 * The tests in text of KTAP (Documentation/dev-tools/ktap.rst) or of TAP, in their order. A test that holds others comes
 * after them, as it is printed; those within it are told by its indentation or, of kselftest's runner, by `# `.
 */
export function parseKtap(text: string): SubtestResult[] {
  return text.split('\n').flatMap((line) => {
    const [, result, rest = ''] = RESULT.exec(line) ?? [];
    if (result === undefined) return [];
    const [description = '', ...remarks] = rest.split(/(?<!\\)#/);
    const remark = remarks.join('#').trim();
    const [directive = '', ...words] = remark.split(/\s+/);
    const isSkipped = directive.toUpperCase() === 'SKIP';
    const isExpected = EXPECTED.includes(directive.toUpperCase());
    const name = description.replaceAll('\\#', '#').trim();
    const reason = isSkipped ? words.join(' ') : remark;
    return [
      {
        name: name === '' ? 'unnamed' : name,
        verdict: isSkipped ? 'skip' : result === 'not ok' && !isExpected ? 'fail' : 'pass',
        ...(reason !== '' && { reason }),
      },
    ];
  });
}

/** `not ok 3 - mmap`, with what stands before it in a test within a test. */
const RESULT = /^(?:#? )*\s*(ok|not ok)\b(?: \d+)?(?:\s+-)?(.*)$/;

/** Directives of tests that are known not to be ok. */
const EXPECTED: readonly string[] = ['TODO', 'XFAIL'];
