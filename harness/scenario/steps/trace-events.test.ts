import { expect, test } from 'vitest';
import { parseTrace } from './trace-events.js';

const TRACE = `# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
    irq/26-aerdrv-70      [000] .....    12.345678: cxl_general_media: memdev=mem0 host=0000:0d:00.0 serial=1 log=Informational : time=1 uuid=fbcd0a77 len=128 flags='0x1' : dpa=1000 dpa_flags='' descriptor='UNCORRECTABLE_EVENT|THRESHOLD_EVENT' type='Invalid Address' region=region0
`;

test('events are read with their fields', () => {
  const [event, ...more] = parseTrace(TRACE);
  expect(more).toEqual([]);
  expect(event?.name).toBe('cxl_general_media');
  expect(event?.fields).toMatchObject({
    memdev: 'mem0',
    host: '0000:0d:00.0',
    log: 'Informational',
    flags: '0x1',
    dpa: '1000',
    type: 'Invalid Address',
    region: 'region0',
  });
});
