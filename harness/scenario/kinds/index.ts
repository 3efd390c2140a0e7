import { addCapacity, releaseCapacity } from './capacity.js';
import { capture } from './capture.js';
import { copyOut } from './copy-out.js';
import { createRegion } from './create-region.js';
import { daxData } from './dax-data.js';
import { daxSplit } from './dax-split.js';
import { destroyRegion } from './destroy-region.js';
import { bind, unbind, newId, removeId } from './drivers.js';
import { exec } from './exec.js';
import { expectation } from './expect.js';
import { hotAdd, hotRemove } from './hot-plug.js';
import { inject } from './inject.js';
import { kexec } from './kexec.js';
import { memoryBlock } from './memory-block.js';
import { moduleStep } from './module.js';
import { pciReset } from './pci-reset.js';
import { qmp } from './qmp.js';
import { read } from './read.js';
import { reboot } from './reboot.js';
import { snapshot } from './snapshot.js';
import { cxl, daxctl, ndctl } from './tools.js';
import { set, write } from './write.js';

export { commonKeys } from './definition.js';
export type { CommonKey, StepDefinition } from './definition.js';

/** The step kinds that hold no further steps, by the key that names them in YAML, in the order of LANGUAGE.md. */
export const simpleSteps = {
  'create-region': createRegion,
  'destroy-region': destroyRegion,
  bind,
  unbind,
  'new-id': newId,
  'remove-id': removeId,
  write,
  set,
  read,
  'memory-block': memoryBlock,
  module: moduleStep,
  cxl,
  daxctl,
  ndctl,
  exec,
  'dax-data': daxData,
  'dax-split': daxSplit,
  'copy-out': copyOut,
  qmp,
  'hot-add': hotAdd,
  'hot-remove': hotRemove,
  'pci-reset': pciReset,
  inject,
  'add-capacity': addCapacity,
  'release-capacity': releaseCapacity,
  capture,
  snapshot,
  expect: expectation,
  reboot,
  kexec,
} as const;

export type SimpleStepKind = keyof typeof simpleSteps;
