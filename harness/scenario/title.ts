import { formatSize } from '../base/size.js';
import { kindOf, type StepBody, type StepDocument, type StepKind } from './language.js';

const LONGEST_TITLE = 100;

/** What a step does, in a line: its `name`, or the step in a few words. */
export function describeStep(step: StepDocument): string {
  const kind = kindOf(step);
  const title = step.name ?? describeBody(kind, step);
  return oneLine(`${title}${step.name === undefined ? describeRefusal(step) : ''}`);
}

function describeRefusal({ fails, 'may-fail': mayFail }: StepDocument): string {
  if (fails != null) return `, refused with ${anyOf(fails)}`;
  return mayFail === undefined ? '' : `, or refused with ${anyOf(mayFail)}`;
}

type Describe<K extends StepKind> = (body: StepBody<K>) => string;

const DESCRIPTIONS: { readonly [K in StepKind]: Describe<K> } = {
  'create-region': (body) =>
    [
      `create a ${body.mode} region`,
      body.size === undefined ? '' : `of ${sizeOf(body.size)}`,
      `on ${body.targets.join(', ')}`,
      body.window === undefined ? '' : `in ${body.window}`,
      body.stop === undefined ? '' : `up to ${body.stop}`,
      body.commit || body.stop !== undefined ? '' : 'without commit',
      body.bind === undefined ? '' : `and bind it to ${body.bind}`,
    ]
      .filter(Boolean)
      .join(' '),
  'destroy-region': ({ region }) => `destroy ${region}`,
  bind: ({ bus, driver, device }) => `bind ${device} to ${bus}/${driver}`,
  unbind: ({ bus, driver, device }) => `unbind ${device} from ${bus}/${driver}`,
  'new-id': ({ bus, driver, device }) => `write ${device} to new_id of ${bus}/${driver}`,
  'remove-id': ({ bus, driver, device }) => `write ${device} to remove_id of ${bus}/${driver}`,
  write: ({ path, value }) => `write ${value === '' ? 'nothing' : value} to ${path}`,
  read: ({ path }) => `read ${path}`,
  'memory-block': ({ of, block, index, state }) => {
    const which =
      block !== undefined
        ? `memory${block}`
        : index !== undefined
          ? `memory block ${index} of ${of ?? 'all'}`
          : `the memory blocks of ${of ?? 'all'}`;
    return `set ${which} ${state}`;
  },
  module: (body) =>
    Object.entries(body)
      .map(([verb, name]) => `${verb} ${[name].flat().join(' ')}`)
      .join(' with '),
  cxl: (body) => `cxl ${argumentsOf(body.args)}`,
  daxctl: (body) => `daxctl ${argumentsOf(body.args)}`,
  ndctl: (body) => `ndctl ${argumentsOf(body.args)}`,
  exec: ({ sh }) => sh.trim(),
  'copy-out': ({ path }) => `keep ${path}`,
  qmp: ({ execute }) => `QMP ${execute}`,
  'hot-add': ({ id, port }) => `plug ${id} into ${port}`,
  'hot-remove': ({ device, via }) => `unplug ${device} by ${via === 'qmp' ? 'QMP' : "the slot's power"}`,
  inject: ({ device, type }) => `inject ${type} into ${device}`,
  'add-capacity': (body) => `offer ${extentsOf(body)}`,
  'release-capacity': (body) => `${body.forced ? 'take back' : 'ask back'} ${extentsOf(body)}`,
  capture: (body) => {
    const [what, of] = Object.entries(body).find(([key]) => key.endsWith('-of')) ?? ['', ''];
    return `capture ${body.as}: the ${what.replace(/-of$/, '').replaceAll('-', ' ')} of ${String(of)}`;
  },
  snapshot: ({ as }) => `keep the state as ${as}`,
  expect: (body) => {
    const clauses = Object.keys(body).filter((key) => key !== 'within' && key !== 'stays-for');
    const stays = body['stays-for'] === undefined ? '' : ` for ${body['stays-for']}`;
    return `expect ${clauses.map((key) => key.replace('same-as', 'the same state')).join(', ')}${stays}`;
  },
  reboot: () => 'reboot',
  parallel: (branches) => `${branches.length} branches at once`,
  repeat: ({ times, steps }) => `${times} times: ${steps.map(describeStep).join('; ')}`,
};

function describeBody(kind: StepKind, step: StepDocument): string {
  const describe = DESCRIPTIONS[kind] as (body: unknown) => string;
  return describe(step[kind]);
}

function extentsOf({ device, extents }: StepBody<'add-capacity'>): string {
  return `${extents.map(({ offset, length }) => `${sizeOf(length)} at ${sizeOf(offset)}`).join(', ')} of ${device}`;
}

function anyOf(names: string | readonly string[]): string {
  return [names].flat().join(' or ');
}

function sizeOf(size: string | number): string {
  return typeof size === 'number' ? formatSize(size) : size;
}

function argumentsOf(args: string | readonly string[]): string {
  return typeof args === 'string' ? args.trim() : args.join(' ');
}

function oneLine(text: string): string {
  // a line of a shell script more or less does not belong into a title, nor do control characters into a terminal
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > LONGEST_TITLE ? `${line.slice(0, LONGEST_TITLE - 3)}...` : line;
}
