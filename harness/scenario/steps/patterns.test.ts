import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseState } from '../../abi/parse-state.js';
import { DocumentError } from '../../base/document/diagnostic.js';
import type { ExecResult, RunningGuest } from '../../guest/guest.js';
import type { MachinePlan } from '../../topology/plan.js';
import { isAllowed } from '../../verdict/index.js';
import type { Step } from '../case.js';
import type { JsonSchema } from '../../base/document/key-list.js';
import { scenarioJsonSchema } from '../language/json-schema.js';
import { loadScenarioText } from '../load/load.js';
import { splatsOf } from './aftermath.js';
import type { StepSession } from './context.js';
import { openSteps, runSteps } from './index.js';

/**
 * Every key of the language that takes a regular expression, found in the schema: a stranger's expression is answered at
 * once by each, and each has the same dialect when it is checked as when it is matched.
 */

const ENDLESS = '^(a+)+$';
const TEXT = `${'a'.repeat(40)}!`;
const CASE = '(?i)^A+!$';

const dir = mkdtempSync(join(tmpdir(), 'cxlrig-patterns-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = join(dir, 'text');
writeFileSync(file, TEXT);

/** How each key is used: a step that holds the pattern against TEXT, or the function that does. */
const USES: Readonly<Record<string, (pattern: string) => object | (() => boolean)>> = {
  'allow-splats': (pattern) => () => isAllowed({ title: TEXT }, [pattern]),
  'step.allow-splats': (pattern) => () => allowedByStep(pattern),
  'step.read.matches': (pattern) => ({ read: { path: file, matches: pattern } }),
  'step.cxl.stderr': (pattern) => ({ cxl: { args: 'list', stderr: pattern } }),
  'step.daxctl.stderr': (pattern) => ({ daxctl: { args: 'list', stderr: pattern } }),
  'step.ndctl.stderr': (pattern) => ({ ndctl: { args: 'list', stderr: pattern } }),
  'step.exec.stdout': (pattern) => ({ exec: { sh: `cat ${file}`, stdout: pattern } }),
  'step.expect.file.matches': (pattern) => ({
    expect: { file: { path: file, matches: pattern }, within: '1ms' },
  }),
  'step.expect.log.matches': (pattern) => ({ expect: { log: { matches: pattern }, within: '1ms' } }),
  'step.expect.log.absent': (pattern) => ({ expect: { log: { absent: pattern }, within: '1ms' } }),
};

/** The keys where finding the pattern is the failure. */
const ABSENT = ['step.expect.log.absent'];

test('the keys that take a regular expression are these', () => {
  expect(keysWithPattern()).toEqual(Object.keys(USES).sort());
});

describe.each(Object.keys(USES))('%s', (key) => {
  test(`answers within a second to ${ENDLESS}`, async () => {
    const started = performance.now();
    expect(await isFound(key, ENDLESS)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test('has what the check lets through', async () => {
    expect(await isFound(key, CASE)).toBe(true);
    expect(await faultOf(key, CASE)).toBeUndefined();
  });

  test('is refused what takes other than linear time', async () => {
    expect(await faultOf(key, '(?=a)a')).toContain('not a regular expression');
  });
});

async function isFound(key: string, pattern: string): Promise<boolean> {
  const use = USES[key]?.(pattern);
  if (typeof use !== 'object') return use?.() === true;
  const { failure } = await runSteps([stepOf(use)], await session());
  if (failure) expect(failure.blame, failure.message).toBe('kernel');
  return (failure === undefined) !== ABSENT.includes(key);
}

async function faultOf(key: string, pattern: string): Promise<string | undefined> {
  const use = USES[key]?.(pattern);
  const document = {
    cxlrig: 1,
    name: 'x',
    description: 'y',
    topology: 'two-ports',
    steps: [
      typeof use === 'object' ? use : { reboot: {}, ...(key.startsWith('step.') && { [KEY]: [pattern] }) },
    ],
    ...(key === KEY && { [KEY]: [pattern] }),
  };
  const error: unknown = await loadScenarioText(JSON.stringify(document), 'x.yaml').catch(
    (one: unknown) => one,
  );
  return error instanceof DocumentError ? error.diagnostics[0]?.message : undefined;
}

const KEY = 'allow-splats';

function allowedByStep(pattern: string): boolean {
  const splat = { title: TEXT };
  const asked = { context: { allowSplats: [], findSplats: () => [splat] } } as unknown as StepSession;
  return splatsOf(stepOf({ reboot: {}, [KEY]: [pattern] }), asked, 'a log')[0]?.allowed === true;
}

/** Paths of property names in the schema; a step within a step has the same keys. */
function keysWithPattern(): string[] {
  const schema = scenarioJsonSchema();
  const definitions = schema['definitions'] as Record<string, JsonSchema>;
  const found = new Set<string>();
  const walk = (node: unknown, path: readonly string[]): void => {
    if (Array.isArray(node)) {
      node.forEach((one) => walk(one, path));
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === '$ref' && value === '#/definitions/pattern') found.add(path.join('.'));
      else if (key === 'properties') {
        for (const [name, property] of Object.entries(value as object)) walk(property, [...path, name]);
      } else if (key !== 'definitions') walk(value, path);
    }
  };
  walk(schema, []);
  walk(definitions['step'], ['step']);
  return [...found].sort();
}

function stepOf(document: object): Step {
  const position = { file: '', line: 1, column: 1 };
  return { document, position, at: () => position, branches: [] };
}

/** A shell of this machine in the place of the guest's, where the tools print TEXT as their error. */
function shell(line: string): Promise<ExecResult> {
  const tools = ['cxl', 'daxctl', 'ndctl'].map((tool) => `${tool}() { cat ${file} >&2; }`).join('\n');
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', `${tools}\n${line.replaceAll('/dev/kmsg', '/dev/null')}`]);
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('close', (code, signal) => {
      resolve({ stdout: Buffer.concat(out), stderr: Buffer.concat(err), code, signal, milliseconds: 1 });
    });
  });
}

async function session(): Promise<StepSession> {
  const opened = await openSteps({
    guest: {
      type: shell,
      exec: shell,
      qmpTraffic: [],
      qmp: () => Promise.resolve({ status: 'running' }),
      console: { length: 0, since: () => '' },
    } as unknown as RunningGuest,
    plan: { name: 'test', devices: [], windows: [] } as unknown as MachinePlan,
    abi: {},
    initialState: parseState(''),
    emit: () => undefined,
    keepFile: () => Promise.resolve(true),
    findSplats: () => [],
    allowSplats: [],
    deadline: performance.now() + 60_000,
  });
  opened.log.push({ sequence: 1, seconds: 1, level: 4, facility: 0, text: TEXT });
  return opened;
}
