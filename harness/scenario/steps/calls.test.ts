import { expect, test } from 'vitest';
import { readableCalls } from './calls.js';

const TRACE = `# tracer: function_graph
#
#               FUNCTION CALLS
#               |   |   |   |
kernfs_fop_write_iter() {
  dev_attr_store() {
    target0_store() {
      cxl_region_attach() {
        cxl_port_attach_region();
        cxl_port_attach_region();
        cxl_port_attach_region();
      }
    }
  }
}
 ------------------------------------------
`;

test('calls are told without the head of the trace, and what is called in a row once', () => {
  expect(readableCalls(TRACE)).toBe(`kernfs_fop_write_iter() {
  dev_attr_store() {
    target0_store() {
      cxl_region_attach() {
        cxl_port_attach_region(); /* 3 times */
      }
    }
  }
}`);
});

test('where nothing was called there is nothing', () => {
  expect(readableCalls('# tracer: function_graph\n#\n')).toBe('');
});

test('calls without end are cut', () => {
  const long = readableCalls(Array.from({ length: 9000 }, (_, n) => `call_${n}();`).join('\n'));
  expect(long.length).toBeLessThan(33_000);
  expect(long.endsWith('\n...')).toBe(true);
});
