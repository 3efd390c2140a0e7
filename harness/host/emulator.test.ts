import { describe, expect, test } from 'vitest';
import { emulatorFindings, limitsText } from './emulator.js';

describe('doctor says of QEMU', () => {
  test('what a newer one has no more, and which', () => {
    expect(emulatorFindings('10.0.2')).toContainEqual({
      subject: 'QEMU 10.0.2',
      status: 'warn',
      detail: expect.stringContaining(
        'the data of regions on higher decoders of the same device is lost',
      ) as string,
      remedy: expect.stringContaining('QEMU 11.1.3') as string,
    });
  });

  test('nothing to mend where all that is known is in the newest too', () => {
    expect(emulatorFindings('11.1.3').map(({ status }) => status)).toEqual(['ok']);
  });

  test('every limit with its source', () => {
    expect(limitsText('11.1.3')).toContain('hw/cxl/cxl-host.c:cxl_cfmws_find_device()');
    expect(limitsText('11.1.3')).not.toContain('cxl_type3_dpa');
    expect(limitsText('10.0.2')).toContain('cxl_type3_dpa');
  });
});
