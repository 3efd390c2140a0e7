import type { StepBody } from '../language.js';
import type { SimpleStepKind } from '../kinds/index.js';
import { read, set, write } from './attributes.js';
import { addCapacity, releaseCapacity } from './capacity.js';
import { capture } from './capture.js';
import { copyOut } from './copy-out.js';
import { createRegion } from './create-region.js';
import { daxData } from './dax-data.js';
import { destroyRegion } from './destroy-region.js';
import { bind, newId, removeId, unbind } from './drivers.js';
import { expect } from './expect/expect.js';
import { hotAdd, hotRemove } from './hot-plug.js';
import { inject } from './inject.js';
import { memoryBlock } from './memory-block.js';
import { changeModule } from './module.js';
import { qmp } from './qmp.js';
import type { StepScope } from './scope.js';
import { reboot, snapshot } from './small-steps.js';
import { exec, runTool } from './tools.js';

type Run<K extends SimpleStepKind> = (body: StepBody<K>, scope: StepScope) => Promise<void>;

/** How each step kind is carried out. `parallel` and `repeat`, which hold further steps, are the engine's. */
const KINDS: { readonly [K in SimpleStepKind]: Run<K> } = {
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
  module: changeModule,
  cxl: runTool('cxl'),
  daxctl: runTool('daxctl'),
  ndctl: runTool('ndctl'),
  exec,
  'dax-data': daxData,
  'copy-out': copyOut,
  qmp,
  'hot-add': hotAdd,
  'hot-remove': hotRemove,
  inject,
  'add-capacity': addCapacity,
  'release-capacity': releaseCapacity,
  capture,
  snapshot,
  expect,
  reboot,
};

/** Kinds whose captures are put in while they run, because what is captured may appear meanwhile. */
const RESOLVES_ITSELF: readonly SimpleStepKind[] = ['expect'];

export function putsInCapturesItself(kind: SimpleStepKind): boolean {
  return RESOLVES_ITSELF.includes(kind);
}

/**
 * Carries out a step of a kind.
 * @throws Refusal, Unmet, NothingToDo, and what the guest throws
 */
export async function runStep(kind: SimpleStepKind, body: unknown, scope: StepScope): Promise<void> {
  await (KINDS[kind] as (body: unknown, scope: StepScope) => Promise<void>)(body, scope);
}
