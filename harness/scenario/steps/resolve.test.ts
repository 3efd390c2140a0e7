import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { State } from '../../abi/index.js';
import { parseState } from '../../abi/parse-state.js';
import type { StepSession } from './context.js';
import { Unresolved } from './outcome.js';
import { resolve } from './resolve.js';
import { keepCapture, remember } from './session.js';

/** The state of a real guest with region0 on decoder2.0, before and while it is there. */
const read = (name: string): State =>
  parseState(readFileSync(new URL(`../../abi/fixtures/state-${name}.txt`, import.meta.url), 'utf8'));
const boot = read('7.3-boot');
const online = read('7.3-region-online');
const [region0] = Object.values(online.regions);
if (!region0) throw new Error('the fixture has no region');
const another: State = {
  ...boot,
  regions: { region0: { ...region0, targets: ['decoder2.1'], start: region0.start + region0.size } },
};

let session: StepSession;
const see = (state: State): void => {
  session.state = state;
  remember(session);
};
const make = (name: string, decoder: string): void =>
  keepCapture(session, name, { kind: 'region', name: 'region0', decoders: [decoder], isNew: true });
const refused = (text: string): Unresolved => {
  try {
    resolve(text, session);
  } catch (error) {
    if (error instanceof Unresolved) return error;
    throw error;
  }
  throw new Error(`${text} was resolved`);
};

beforeEach(() => {
  session = {
    context: { plan: { devices: [{}, {}] } },
    captures: new Map(),
    done: new Set(),
    ranges: new Map(),
    lastKnown: new Map(),
    state: boot,
  } as unknown as StepSession;
  make('first', 'decoder2.0');
  see(online);
});

describe('a captured memdev', () => {
  const [[name, { serial, pciAddress }] = ['', { serial: 0, pciAddress: undefined }]] = Object.entries(
    boot.memdevs,
  );

  test('has its name and the parts that the kernel gives it, also when it is gone', () => {
    keepCapture(session, 'm', { kind: 'memdev', name, serial });
    expect(resolve('${m} ${m.pci} ${m.serial}', session)).toBe(`${name} ${pciAddress ?? ''} ${serial}`);
    see({ ...boot, memdevs: {} });
    expect(resolve('${m} ${m.pci}', session)).toBe(`${name} ${pciAddress ?? ''}`);
  });

  test('has no part of a device that was given its name', () => {
    keepCapture(session, 'm', { kind: 'memdev', name, serial });
    see({ ...boot, memdevs: { [name]: { serial: serial + 1, ramBytes: 0, pmemBytes: 0, pciAddress: 'x' } } });
    expect(resolve('${m.pci}', session)).toBe(pciAddress);
  });

  test('says which part it has not', () => {
    keepCapture(session, 'm', { kind: 'memdev', name, serial });
    expect(refused('${m.dax}').message).toContain('a memdev has no part "dax"');
  });
});

describe('a captured region', () => {
  test('has the parts that the kernel gives it', () => {
    expect(resolve('${first} ${first.dax} ${first.ed0}', session)).toBe('region0 dax0.0 decoder2.0');
  });

  test('that is gone keeps its name and its parts', () => {
    see(boot);
    expect(resolve('${first} ${first.dax} ${first.ed0}', session)).toBe('region0 dax0.0 decoder2.0');
  });

  test('whose name another has by now keeps its parts, and its name is refused', () => {
    see(boot);
    make('second', 'decoder2.1');
    see(another);
    expect(resolve('${first.ed0} ${second} ${second.ed0}', session)).toBe('decoder2.0 region0 decoder2.1');
    expect(resolve('${first.dax}', session)).toBe('dax0.0');
    const { message, blame } = refused('${first}');
    expect(message).toContain('first was region0, which is gone');
    expect(message).toContain('captured as second');
    expect(blame).toBe('scenario');
  });

  test('is another than the one that the kernel gave its name to between two looks', () => {
    make('second', 'decoder2.1');
    see(another);
    expect(resolve('${first.ed0} ${second.ed0}', session)).toBe('decoder2.0 decoder2.1');
    expect(refused('${first}').blame).toBe('scenario');
  });

  test('that comes back with the same memory on the same targets is the same', () => {
    see(boot);
    see(online);
    expect(resolve('${first} ${first.dax}', session)).toBe('region0 dax0.0');
  });

  test('under a name that is given anew has nothing of the one before', () => {
    see(boot);
    make('first', 'decoder2.1');
    expect(resolve('${first.ed0}', session)).toBe('decoder2.1');
    expect(refused('${first.dax}').blame).toBe('kernel');
  });
});
