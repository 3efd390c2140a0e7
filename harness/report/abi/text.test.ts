import { describe, expect, test } from 'vitest';
import type { AbiReport, ReportedAttribute } from './report.js';
import { abiDiffText, abiText } from './text.js';

function attribute(path: string, more: Partial<ReportedAttribute> = {}): ReportedAttribute {
  return { path, modes: ['444'], on: [], example: { path }, ...more };
}

function report(attributes: ReportedAttribute[], documentation: AbiReport['documentation']): AbiReport {
  return {
    version: 1,
    kernel: { profile: 'stock', release: '7.3.4', id: '1', origin: 'Debian 7.3.4' },
    topology: 'mixed',
    moments: ['after boot', 'with a ram region'],
    notReached: ['echo region0 > /sys/bus/cxl/drivers/x/bind: ENXIO'],
    documentation,
    attributes,
  };
}

const serial = attribute('/sys/bus/cxl/devices/memX/serial', {
  example: { path: '', value: '0x1' },
  documented: 'testing/sysfs-bus-cxl',
});
const ram = attribute('/sys/bus/cxl/devices/memX/ram/size');
const uuid = attribute('/sys/bus/cxl/devices/regionX/uuid', {
  modes: ['444', '644'],
  on: ['cxl_region'],
  example: { path: '', errno: 'ENXIO' },
});

describe('the text of an inventory', () => {
  test('has the attributes by device, with where they are documented', () => {
    const text = abiText(report([serial, ram, uuid], { of: 'linux-source-7.3 7.3.4-1' }), {
      undocumented: false,
    });
    expect(text).toContain('documentation  linux-source-7.3 7.3.4-1\n');
    expect(text).toContain('not reached    echo region0');
    expect(text).toContain(`
/sys/bus/cxl/devices/memX
  serial    444  testing/sysfs-bus-cxl  "0x1"
  ram/size  444  undocumented

/sys/bus/cxl/devices/regionX
  uuid  444 or 644  undocumented  ENXIO  cxl_region
`);
    expect(text).toMatch(/\n3 attributes: 1 in Documentation\/ABI, 2 not\n$/);
  });

  test('has those alone that are not documented when it is asked so', () => {
    const text = abiText(report([serial, ram], { of: 'linux' }), { undocumented: true });
    expect(text).not.toContain('  serial');
    expect(text).toContain('  ram/size');
  });

  test('calls nothing undocumented when there was no documentation, and says why', () => {
    const text = abiText(report([ram], { missing: 'the archive does not answer' }), { undocumented: false });
    expect(text).toContain('documentation  none: the archive does not answer\n');
    expect(text).not.toContain('undocumented');
  });
});

test('the text of a difference has what came, what went and what changed', () => {
  const before = report([serial, ram], { of: 'linux' });
  const after = report([uuid], { of: 'linux' });
  const writable = { ...ram, modes: ['644'] };
  const text = abiDiffText(before, after, {
    added: [uuid],
    removed: [serial],
    changed: [{ before: ram, after: writable }],
  });
  expect(text).toContain(
    '\n+ /sys/bus/cxl/devices/regionX/uuid  444 or 644  undocumented  ENXIO  cxl_region\n',
  );
  expect(text).toContain('\n- /sys/bus/cxl/devices/memX/serial  444  testing/sysfs-bus-cxl  "0x1"\n');
  expect(text).toContain('\n! /sys/bus/cxl/devices/memX/ram/size  444 -> 644');
  expect(text).toMatch(/\n1 added \(1 of them not in Documentation\/ABI\), 1 removed, 1 changed\n$/);
});
