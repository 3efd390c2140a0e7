import { describe, expect, test } from 'vitest';
import { findingsText } from './doctor.js';

describe('the text of doctor', () => {
  test('gives each finding a line and each remedy its own', () => {
    expect(
      findingsText(
        [
          { subject: 'QEMU', status: 'ok', detail: '10.0.2' },
          { subject: 'mmdebstrap', status: 'fail', detail: 'missing', remedy: 'apt-get install mmdebstrap' },
        ],
        false,
      ),
    ).toBe(`\
ok    QEMU        10.0.2
fail  mmdebstrap  missing
                  apt-get install mmdebstrap

This machine can't run guests: one thing to mend.
`);
  });

  test('says that all is well when warnings are all there is', () => {
    const text = findingsText([{ subject: 'kernel build', status: 'warn', detail: 'no make' }], false);
    expect(text).toContain('This machine can run guests.');
  });
});
