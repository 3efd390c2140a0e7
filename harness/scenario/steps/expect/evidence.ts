import { leftoversOf } from '../../../abi/index.js';
import { matches } from '../../../base/pattern.js';
import type { StepBody } from '../../language.js';
import { amountWords, isAmount, SOME } from './amount.js';
import { type ClauseOf, compare, existence, present, type Miss, type World } from './clause.js';
import { driver as driverOf } from './cxl.js';

/** Buses whose bindings are part of the state. */
const BUSES_OF_STATE = ['cxl', 'dax', 'nd'] as const;

export function driver(clause: ClauseOf<'driver'>, world: World): Miss[] {
  const subject = `/sys/bus/${clause.bus}/devices/${clause.device}`;
  const bus = BUSES_OF_STATE.find((one) => one === clause.bus);
  const bound =
    bus === undefined ? world.driverOn(clause.bus, clause.device) : world.state.bindings[bus][clause.device];
  if (bound === undefined) return existence(subject, undefined, false).misses;
  return present([compare('driver', `${subject}/driver`, driverOf(clause.driver, world), bound)]);
}

export function module(clause: ClauseOf<'module'>, world: World): Miss[] {
  const loaded = world.state.modules.includes(clause.name.replaceAll('-', '_'));
  return present([compare('loaded', `/sys/module/${clause.name}`, clause.loaded, loaded)]);
}

export function file(clause: ClauseOf<'file'>, world: World): Miss[] {
  const content = world.file(clause.path)?.trim();
  const { misses, goOn } = existence(clause.path, clause.exists, content !== undefined);
  if (!goOn || content === undefined) return misses;
  return present([
    compare('equals', clause.path, clause.equals, content),
    clause.matches === undefined || matches(content, clause.matches, { lines: true })
      ? undefined
      : {
          message: `${clause.path} does not match`,
          path: ['matches'],
          subject: clause.path,
          expected: `/${clause.matches}/`,
          received: content,
        },
  ]);
}

export function log(clause: ClauseOf<'log'>, world: World): Miss[] {
  // what we noted ourselves is no evidence
  const lines = world.session.log
    .filter(({ facility }) => facility === 0)
    .flatMap(({ text }) => text.split('\n'));
  const misses: Miss[] = [];
  const { matches: wanted, absent } = clause;
  if (wanted !== undefined) {
    const found = lines.filter((line) => matches(line, wanted));
    const amount = clause.count ?? SOME;
    if (!isAmount(found.length, amount)) {
      const counted = clause.count !== undefined;
      misses.push({
        message: counted
          ? `${found.length} lines of the kernel log match, not ${amountWords(amount)}`
          : 'no line of the kernel log matches',
        path: [counted ? 'count' : 'matches'],
        subject: 'kernel log since the case began',
        expected: counted ? `${amountWords(amount)} of /${wanted}/` : `/${wanted}/`,
        received: found.length > 0 ? found : lines.slice(-20),
      });
    }
  }
  if (absent !== undefined) {
    const found = lines.filter((line) => matches(line, absent));
    if (found.length > 0) {
      misses.push({
        message: 'a line of the kernel log matches that must not be there',
        path: ['absent'],
        subject: 'kernel log since the case began',
        expected: `no line that matches /${absent}/`,
        received: found,
      });
    }
  }
  return misses;
}

export function sameAs(expected: NonNullable<StepBody<'expect'>['same-as']>, world: World): Miss[] {
  const { snapshot, ignoring } =
    typeof expected === 'string' ? { snapshot: expected, ignoring: [] } : expected;
  const before = world.session.snapshots.get(snapshot);
  const path = typeof expected === 'string' ? [] : ['snapshot'];
  if (!before) {
    return [{ message: `no snapshot was kept as ${snapshot}`, path, subject: snapshot, blame: 'scenario' }];
  }
  const changes = leftoversOf(before, world.state, ignoring);
  const [first] = changes;
  if (!first) return [];
  return [
    {
      message: `the state differs from ${snapshot} in ${changes.map((change) => change.path).join(', ')}`,
      path,
      subject: first.path,
      expected: Object.fromEntries(changes.map((change) => [change.path, change.before ?? null])),
      received: Object.fromEntries(changes.map((change) => [change.path, change.after ?? null])),
    },
  ];
}
