import { nameHint } from '../../base/document/did-you-mean.js';
import type { DocumentPath } from '../../base/document/yaml.js';
import type { MachinePlan } from '../../topology/plan.js';

/** What is known of a case where a step stands, and which names are known there. */

export interface Fault {
  readonly path: DocumentPath;
  readonly part?: 'key' | 'value';
  readonly message: string;
  readonly hint?: string;
}

/** What is known where a step stands. Steps add to it. */
export interface CaseKnowledge {
  readonly plan: MachinePlan | undefined;
  readonly timeoutMs: number;
  readonly hotDevices: Set<string>;
  readonly snapshots: Set<string>;
  readonly captures: Set<string>;
  /** how often the step runs: the product of the repeats around it */
  readonly turns: number;
}

/** A topology device, or one that an earlier step has plugged in; `of QEMU`: no mock of the kernel. */
export function unknownDevice(
  name: string,
  path: DocumentPath,
  { plan, hotDevices }: CaseKnowledge,
  whose: 'any' | 'of QEMU' = 'any',
): Fault[] {
  if (!plan || name.includes('${') || hotDevices.has(name)) return [];
  const mocks = (plan.mocks ?? []).map(({ id }) => id);
  if (whose === 'of QEMU' && mocks.includes(name))
    return [{ path, message: `${name} is a mock of the kernel's cxl_test: QEMU has no such device` }];
  const known = [...plan.devices.map(({ id }) => id), ...hotDevices, ...(whose === 'any' ? mocks : [])];
  if (known.includes(name)) return [];
  return [
    {
      path,
      message: `the topology ${plan.name} has no device ${JSON.stringify(name)}`,
      hint: nameHint(name, known, `devices of ${plan.name}`),
    },
  ];
}

/** A region is named by a capture, or as the kernel names it. */
export function notARegion(
  name: string | undefined,
  path: DocumentPath,
  { captures }: CaseKnowledge,
): Fault[] {
  if (name === undefined || name.includes('${') || /^region\d+$/.test(name)) return [];
  return [
    {
      path,
      message: `${JSON.stringify(name)} is no region`,
      hint:
        nameHint(name, [...captures], 'captures so far') +
        ', or write the name that the kernel gives: region0',
    },
  ];
}

export function unknownWindow(
  name: string | undefined,
  path: DocumentPath,
  { plan }: CaseKnowledge,
): Fault[] {
  if (!plan || name === undefined || name.includes('${')) return [];
  const known = plan.windows.map(({ id }) => id);
  if (known.includes(name)) return [];
  return [
    {
      path,
      message: `the topology ${plan.name} has no window ${JSON.stringify(name)}`,
      hint: nameHint(name, known, `windows of ${plan.name}`),
    },
  ];
}
