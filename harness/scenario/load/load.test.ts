import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DocumentError, type Diagnostic } from '../../base/document/diagnostic.js';
import { UsageError } from '../../base/errors.js';
import { loadScenario, loadScenarioText } from './load.js';

const HEAD = `cxlrig: 1
name: a scenario
description: why
topology: two-ports
`;

const load = (body: string) => loadScenarioText(HEAD + body, 'scenarios/current/kmem.yaml');

async function faultsOf(body: string): Promise<readonly Diagnostic[]> {
  const error: unknown = await load(body).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof DocumentError)) throw new Error(`not refused as a document: ${String(error)}`);
  return error.diagnostics;
}

describe('the bare name of a capture', () => {
  const stepsOf = async (body: string): Promise<unknown[]> => {
    const { cases } = await load(`steps:\n  - create-region: { as: r, targets: [mem0] }\n${body}`);
    return (cases[0]?.steps ?? []).slice(1).map(({ document }) => document);
  };

  test('stands for what was captured where a key takes a thing', async () => {
    expect(
      await stepsOf(`  - bind: { bus: dax, driver: kmem, device: r.dax }
  - expect: { region: [{ name: r, committed: true }, { name: region7, exists: false }], memory: { of: r, count: 0 } }
  - write: { of: r, attr: commit, value: r }
`),
    ).toEqual([
      { bind: { bus: 'dax', driver: 'kmem', device: '${r.dax}' } },
      {
        expect: {
          region: [
            { name: '${r}', committed: true },
            { name: 'region7', exists: false },
          ],
          memory: { of: '${r}', count: 0 },
        },
      },
      { write: { of: '${r}', attr: 'commit', value: 'r' } },
    ]);
  });

  test('is no name before it is captured, and the fault names those that are', async () => {
    const [fault] = await faultsOf(
      'steps:\n  - create-region: { as: r, targets: [mem0] }\n  - destroy-region: { region: s }\n',
    );
    expect(fault).toMatchObject({
      message: '"s" is no region',
      hint: expect.stringContaining('r') as string,
    });
  });

  test('has the parts of a region only', async () => {
    const [fault] = await faultsOf(
      'steps:\n  - create-region: { as: r, targets: [mem0] }\n  - unbind: { bus: dax, driver: kmem, device: r.dox }\n',
    );
    expect(fault?.message).toBe('a region has no part `dox`');
  });
});

test('a step names its attribute by a path, or by what it is of', async () => {
  const [fault] = await faultsOf('steps: [{ write: { of: region0, value: 1 } }]');
  expect(fault?.message).toBe('names no attribute: it needs `path`, or `of` and `attr`');
});

describe('a topology that stands in the scenario', () => {
  const own = (body: string): Promise<Awaited<ReturnType<typeof loadScenarioText>>> =>
    loadScenarioText(`cxlrig: 1\nname: a scenario\ndescription: why\n${body}`, 'scenarios/current/kmem.yaml');
  const machine = (size: string, target: string): string =>
    `topology:
  bridges: [{ id: bridge, ports: [port] }]
  devices: [{ id: mem0, volatile: ${size} }]
  windows: [{ id: window, targets: [${target}], size: 1G }]
steps: [{ create-region: { as: r, targets: [mem0] } }]
`;

  test('is the machine of its cases, each with its values put in', async () => {
    const { cases } = await own(`matrix: { size: [256M, 512M] }\n${machine("'${size}'", 'bridge')}`);
    expect(cases.map(({ topology }) => topology)).toMatchObject([
      { name: 'kmem', devices: [{ id: 'mem0', volatileBytes: 2 ** 28 }] },
      { name: 'kmem', devices: [{ id: 'mem0', volatileBytes: 2 ** 29 }] },
    ]);
  });

  test('is refused at the place of what is wrong in it', async () => {
    await expect(own(machine('100M', 'brige'))).rejects.toMatchObject({
      diagnostics: [
        { line: 6, column: 35, message: expect.stringContaining('256M') as string },
        { line: 7, column: 37, message: 'window window names no bridge: brige' },
      ],
    });
  });
});

describe('the cases of a scenario', () => {
  test('a scenario without a table has one case, called as its file', async () => {
    const { cases } = await load('steps: [{ reboot: {} }]');
    expect(cases).toHaveLength(1);
    expect(cases[0]).toMatchObject({
      id: 'current/kmem',
      values: {},
      topology: 'two-ports',
      boot: 'any',
      timeoutMs: 120_000,
      leavesNoTrace: true,
      position: { line: 2, column: 1 },
    });
  });

  test('what a step needs of the command line is added to it, wherever the step stands', async () => {
    const { cases } = await load(`kernel: { cmdline: [a=1] }
steps: [{ repeat: { times: 2, steps: [{ kexec: {} }] } }, { kexec: { cmdline: [b=2] } }]`);
    expect(cases[0]?.cmdline).toEqual(['a=1', 'retain_initrd']);
  });

  test('the matrix makes every combination, the first name turning slowest, each with every row', async () => {
    const { cases } = await load(`matrix: { policy: [offline, online], mode: [ram, pmem] }
cases: [{ size: 256M }, { size: 512M }]
steps: [{ reboot: {} }]`);
    expect(cases.map(({ id }) => id)).toEqual([
      'current/kmem [policy=offline, mode=ram, size=256M]',
      'current/kmem [policy=offline, mode=ram, size=512M]',
      'current/kmem [policy=offline, mode=pmem, size=256M]',
      'current/kmem [policy=offline, mode=pmem, size=512M]',
      'current/kmem [policy=online, mode=ram, size=256M]',
      'current/kmem [policy=online, mode=ram, size=512M]',
      'current/kmem [policy=online, mode=pmem, size=256M]',
      'current/kmem [policy=online, mode=pmem, size=512M]',
    ]);
    expect(cases[5]?.values).toEqual({ policy: 'online', mode: 'ram', size: '512M' });
  });

  test('an id shows the columns that tell the rows apart, not what the rows expect', async () => {
    const { cases } = await load(`cases:
  - { from: unplugged, to: online, errno: null, blocks: 4 }
  - { from: unplugged, to: offline, errno: EINVAL, blocks: 0 }
steps: [{ reboot: {} }]`);
    expect(cases.map(({ id }) => id)).toEqual([
      'current/kmem [from=unplugged, to=online]',
      'current/kmem [from=unplugged, to=offline]',
    ]);
    expect(cases[1]?.position).toMatchObject({ line: 7, column: 5 });
  });

  test('rows with a name are called by it', async () => {
    const { cases } = await load(`cases: [{ name: too large, size: 1T }, { name: nothing, size: 0 }]
steps: [{ reboot: {} }]`);
    expect(cases.map(({ id }) => id)).toEqual(['current/kmem [too large]', 'current/kmem [nothing]']);
  });

  test('values that would make an id ambiguous are quoted', async () => {
    const { cases } = await load(`matrix: { v: ['a, b', "x\\ny", ''] }
steps: [{ exec: { sh: 'echo \${v}' } }]`);
    expect(cases.map(({ id }) => id)).toEqual([
      'current/kmem [v="a, b"]',
      'current/kmem [v="x\\ny"]',
      'current/kmem [v=""]',
    ]);
  });
});

describe('values that are put in', () => {
  test('a value that is nothing but a reference keeps its type', async () => {
    const { cases } =
      await load(`cases: [{ errno: null, n: 3 }, { errno: EBUSY, n: 4 }, { errno: [EBUSY, EINVAL], n: 5 }]
steps:
  - create-region: { as: r, targets: [mem0], commit: true }
  - write: { path: /sys/x, value: 1 }
    fails: \${errno}
  - expect: { memory: { of: '\${r}', count: '\${n}' } }`);
    expect(cases.map(({ steps }) => steps[1]?.document.fails)).toEqual([null, 'EBUSY', ['EBUSY', 'EINVAL']]);
    expect(cases.map(({ steps }) => steps[2]?.document.expect?.memory)).toEqual([
      { of: '${r}', count: 3 },
      { of: '${r}', count: 4 },
      { of: '${r}', count: 5 },
    ]);
  });

  test('a reference within a text is interpolated; captures stay for the run', async () => {
    const { cases } = await load(`vars: { base: /sys/bus/dax/devices, attribute: '\${base}/\${r.dax}/state' }
matrix: { state: [online] }
steps:
  - create-region: { as: r, targets: [mem0] }
  - write: { path: '\${attribute}', value: '\${state}_movable' }`);
    expect(cases[0]?.steps[1]?.document.write).toEqual({
      path: '/sys/bus/dax/devices/${r.dax}/state',
      value: 'online_movable',
    });
  });

  test('$${ stays as it is in steps, where captures are still to be put in, and becomes ${ elsewhere', async () => {
    const text =
      HEAD.replace('why', () => "'$${x} is written so'") + "steps: [{ exec: { sh: 'echo $${x}' } }]";
    const { cases } = await loadScenarioText(text, 'x.yaml');
    expect(cases[0]?.steps[0]?.document.exec?.sh).toBe('echo $${x}');
    expect(cases[0]?.description).toBe('${x} is written so');
  });

  test('numbers and booleans stay as they are written where a text is wanted', async () => {
    const { cases } = await load(`vars: { v: 0x20 }
matrix: { w: [0o17, 1.50] }
steps:
  - write: { path: /sys/x, value: 0x1000 }
  - write: { path: /sys/x, value: '\${v}' }
  - write: { path: /sys/x, value: '\${w}' }
  - write: { path: /sys/x, value: 'is \${w}' }
  - write: { path: /sys/x, value: True }
  - expect: { dax: { name: dax0.0, size: 0x1000 } }`);
    const values = cases[1]?.steps.map(({ document }) => document.write?.value);
    expect(values).toEqual(['0x1000', '0x20', '1.50', 'is 1.50', 'True', undefined]);
    expect(cases[0]?.steps[5]?.document.expect?.dax).toMatchObject({ size: 4096 });
  });

  test('a whole list can come from a row', async () => {
    const { cases } = await load(`cases: [{ targets: [mem0, mem1] }, { targets: [mem1, mem0] }]
steps: [{ create-region: { targets: '\${targets}' } }]`);
    expect(cases.map(({ id }) => id)).toEqual([
      'current/kmem [targets=mem0|mem1]',
      'current/kmem [targets=mem1|mem0]',
    ]);
    expect(cases[1]?.steps[0]?.document['create-region']?.targets).toEqual(['mem1', 'mem0']);
  });

  test('variables that are made of each other are refused', async () => {
    const [fault] = await faultsOf(`vars: { a: '\${b}', b: 'x\${a}' }
steps: [{ exec: { sh: '\${a}' } }]`);
    expect(fault?.message).toBe('`a` is made of itself: a -> b -> a');
  });

  test('variables that double each other do not grow without bound', async () => {
    const vars = Array.from({ length: 30 }, (_, n) => `  v${n + 1}: '\${v${n}}\${v${n}}'`).join('\n');
    const faults = await faultsOf(`vars:\n  v0: 0123456789\n${vars}\nsteps: [{ exec: { sh: '\${v30}' } }]`);
    expect(faults.some(({ message }) => message === 'this text becomes longer than 64 KiB here')).toBe(true);
  });
});

describe('conditions', () => {
  const body = `matrix: { policy: [offline, online, online_movable] }
known-bugs:
  - { when: { policy: online }, because: it is so }
steps:
  - reboot: {}
    when: { policy: offline }
  - snapshot: { as: a }
    when: { policy: [online, online_movable] }
  - exec: { sh: 'true' }`;

  test('a step is part of the cases in which its `when` holds', async () => {
    const { cases } = await load(body);
    const kinds = cases.map(({ steps }) =>
      steps.map(({ document }) => Object.keys(document).find((key) => key !== 'when')),
    );
    expect(kinds).toEqual([
      ['reboot', 'exec'],
      ['snapshot', 'exec'],
      ['snapshot', 'exec'],
    ]);
  });

  test('a step keeps its place in the file when a step before it is dropped', async () => {
    const { cases } = await load(body);
    expect(cases[1]?.steps.map(({ position }) => position.line)).toEqual([11, 13]);
  });

  test('a known bug is declared only for the cases in which its `when` holds', async () => {
    const { cases } = await load(body);
    expect(cases.map(({ knownBugs }) => knownBugs.length)).toEqual([0, 1, 0]);
  });

  test('a step that runs in no case is a mistake', async () => {
    const [fault] = await faultsOf(`matrix: { a: [1, 2] }
cases: [{ b: 1 }]
steps:
  - reboot: {}
  - reboot: {}
    when: { a: [1, 2], b: 1 }
  - repeat:
      times: 2
      steps:
        - reboot: {}
        - snapshot: { as: x }
          when: { a: 3 }`);
    expect(fault).toMatchObject({ line: 16, column: 22, message: 'no case has a=3' });
  });

  test('captures of a dropped step do not exist in that case', async () => {
    const faults = await faultsOf(`matrix: { made: [true, false] }
steps:
  - create-region: { as: r, targets: [mem0] }
    when: { made: true }
  - destroy-region: { region: '\${r}' }`);
    expect(faults.map(({ line, column, message }) => [line, column, message])).toEqual([
      [9, 32, '`r` is not captured yet here'],
    ]);
  });
});

describe('captures', () => {
  test('what a branch captures is known after the branches, not in the others', async () => {
    const faults = await faultsOf(`steps:
  - parallel:
      - [{ create-region: { as: a, targets: [mem0] } }, { destroy-region: { region: '\${a}' } }]
      - [{ exec: { sh: 'echo \${a}' } }, { exec: { sh: 'true', as: b } }]
  - exec: { sh: 'echo \${a} \${b}' }`);
    expect(faults.map(({ line, column }) => [line, column])).toEqual([[8, 30]]);
  });

  test("a repeat's counter is known within it only, its steps' captures also after it", async () => {
    const faults = await faultsOf(`steps:
  - repeat:
      times: 2
      as: turn
      steps: [{ exec: { sh: 'echo \${turn}', as: last } }]
  - exec: { sh: 'echo \${last} \${turn}' }`);
    expect(faults.map(({ line, column, message }) => [line, column, message])).toEqual([
      [10, 31, 'nothing is called `turn`: no variable, no matrix value, no earlier capture'],
    ]);
  });

  test('captures have no place outside the steps', async () => {
    const [fault] = await faultsOf(`kernel: { cmdline: ['x=\${r}'] }
steps: [{ create-region: { as: r, targets: [mem0] } }]`);
    expect(fault).toMatchObject({ line: 5, column: 24 });
    expect(fault?.message).toBe('`r` is captured while the case runs, and cannot be used outside the steps');
  });
});

describe('places', () => {
  test('a step tells where its parts stand, also of what may be one or a list', async () => {
    const { cases } = await load(`steps:
  - expect:
      memory: { node: 0, state: online }
      dax:
        - { name: dax0.0, driver: kmem }
        - name: dax1.0
          exists: false
    name: gone`);
    const step = cases[0]?.steps[0];
    const place = (...path: (string | number)[]) => {
      const at = step?.at(...path);
      return [at?.line, at?.column];
    };
    expect(step?.position).toEqual({ file: 'scenarios/current/kmem.yaml', line: 6, column: 5 });
    expect(place('expect', 'memory', 'state')).toEqual([7, 33]);
    expect(place('expect', 'memory', 0, 'state')).toEqual([7, 33]);
    expect(place('expect', 'dax', 1, 'exists')).toEqual([11, 19]);
    expect(place('expect', 'memory', 'zone')).toEqual([7, 7]);
    expect(place('name')).toEqual([12, 11]);
  });

  test('steps of a repeat and of parallel branches have places of their own', async () => {
    const { cases } = await load(`steps:
  - repeat:
      times: 2
      steps:
        - parallel:
            - - reboot: {}
            - - snapshot: { as: x }
              - reboot: {}`);
    const repeat = cases[0]?.steps[0];
    expect(repeat?.branches.map((branch) => branch.length)).toEqual([1]);
    const parallel = repeat?.branches[0]?.[0];
    expect(parallel?.branches.map((branch) => branch.map(({ position }) => position.line))).toEqual([
      [10],
      [11, 12],
    ]);
    expect(parallel?.branches[1]?.[0]?.at('snapshot', 'as')).toMatchObject({ line: 11, column: 33 });
  });

  test('a fault within a block text stands at its own line and column', async () => {
    const [fault] = await faultsOf(`vars: { name: x }
steps:
  - exec:
      sh: |
        echo \${name} \${nam}
        echo \${name}`);
    expect(fault).toMatchObject({
      line: 9,
      column: 22,
      endLine: 9,
      endColumn: 28,
      hint: 'did you mean ${name}?',
    });
  });

  test('the second of two equal references is told apart from the first, and from an escaped one', async () => {
    const faults = await faultsOf(`steps:
  - exec: { sh: '$\${r} \${x} \${y} \${x}' }`);
    expect(faults.map(({ column }) => column)).toEqual([24, 29, 34]);
  });

  test('a wrong value of a row is told at the row', async () => {
    const faults = await faultsOf(`cases: [{ size: 256M }, { size: 3 pounds }]
steps: [{ create-region: { targets: [mem0], size: '\${size}' } }]`);
    expect(faults.map(({ line, column }) => [line, column])).toEqual([[5, 33]]);
  });

  test('a fault that every case has is told once', async () => {
    const faults = await faultsOf(`matrix: { a: [1, 2, 3] }
steps: [{ create-region: { targets: [mem7] } }]`);
    expect(faults).toHaveLength(1);
  });
});

describe('what can be known without a guest', () => {
  test('a device that an earlier step plugs in is known', async () => {
    const text = `${HEAD.replace('two-ports', 'hot-plug')}steps:
  - hot-add: { id: mem9, port: rp1, volatile: 256M }
  - expect: { memdev: { device: mem9, exists: true } }`;
    await expect(loadScenarioText(text, 'x.yaml')).resolves.toMatchObject({ cases: [{ id: 'x' }] });
  });

  test('repeats within repeats are bounded together', async () => {
    const [fault] = await faultsOf(`steps:
  - repeat:
      times: 1000
      steps:
        - repeat: { times: 1000, steps: [{ reboot: {} }] }`);
    expect(fault).toMatchObject({ line: 9, column: 28 });
    expect(fault?.message).toBe('these steps would run 1000000 times; at most 10000 are allowed');
  });

  test('one wrong step does not hide what is wrong with the others', async () => {
    const faults = await faultsOf(`steps:
  - reboot: { now: true }
  - hot-remove: { device: mem5 }`);
    expect(faults.map(({ line }) => line)).toEqual([6, 7]);
  });

  test('a topology named by a path is looked up beside the scenario, and its faults are told', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'cxlrig-load-'));
    try {
      await writeFile(join(dir, 'mine.yaml'), 'cxlrig: 1\ndescription: x\nbridges: 3\n');
      const file = join(dir, 'x.yaml');
      await writeFile(file, `${HEAD.replace('two-ports', './mine.yaml')}steps: [{ reboot: {} }]`);
      const error: unknown = await loadScenario(file).catch((caught: unknown) => caught);
      const [fault] = (error as DocumentError).diagnostics;
      expect(fault).toMatchObject({ line: 4, column: 11, message: 'the topology "./mine.yaml" is wrong' });
      expect(fault?.hint).toContain(`${join(dir, 'mine.yaml')}:3:10: `);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('a path that is no YAML file is not read', async () => {
    const error: unknown = await loadScenarioText(
      `${HEAD.replace('two-ports', '../../etc/passwd')}steps: [{ reboot: {} }]`,
      'x.yaml',
    ).catch((caught: unknown) => caught);
    expect((error as Error).message).toContain('"../../etc/passwd" is not the path of a topology');
  });
});

test('a scenario that is not there, or is no file, is told by name', async () => {
  await expect(loadScenario('nowhere/x.yaml')).rejects.toThrow(UsageError);
  await expect(loadScenario('nowhere/x.yaml')).rejects.toThrow('there is no scenario nowhere/x.yaml');
  await expect(loadScenario('/dev/null')).rejects.toThrow('/dev/null is not a file');
});
