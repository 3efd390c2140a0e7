import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DocumentError } from '../base/document/document.js';
import { UsageError } from '../base/errors.js';
import { listTopologies, loadTopology } from './load.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cxlrig-topologies-'));
  await writeFile(join(folder, 'mine.yaml'), 'cxlrig: 1\ndescription: my own\n');
  await writeFile(join(folder, 'none.yaml'), 'cxlrig: 1\ndescription: instead of the shipped one\ncpus: 4\n');
  await writeFile(join(folder, 'broken.yml'), 'cxlrig: 1\n');
});
afterAll(() => rm(folder, { recursive: true }));

describe('the shipped topologies', async () => {
  const shipped = await listTopologies();

  it.each(shipped.map(({ name }) => name))('%s can be planned', async (name) => {
    const plan = await loadTopology(name);
    expect(plan.name).toBe(name);
    expect(plan.cpus).toBeGreaterThan(0);
  });

  it('are all different machines', async () => {
    const plans = await Promise.all(shipped.map(({ name }) => loadTopology(name)));
    expect(new Set(plans.map(({ id }) => id)).size).toBe(shipped.length);
  });
});

describe('a topology', () => {
  it('is found by a path relative to the file that names it', async () => {
    expect((await loadTopology('./mine.yaml', { relativeTo: join(folder, 'scenario.yaml') })).name).toBe(
      'mine',
    );
  });

  it('that is unknown is answered with the likely one', async () => {
    const error: unknown = await loadTopology('one-volatil').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).remedy).toContain('did you mean one-volatile?');
  });

  it('that resembles none is answered with the list', async () => {
    const error: unknown = await loadTopology('xxxxxxxxxxxxx').catch((reason: unknown) => reason);
    expect((error as UsageError).remedy).toContain(
      'topologies: dynamic-capacity, dynamic-capacity-mocks, four-two-port-switches, hmat,',
    );
  });

  it('cannot be reached by a name that leads out of the folders', async () => {
    await expect(loadTopology('..')).rejects.toThrow('there is no topology ".."');
  });

  it('whose file is missing is told with the path', async () => {
    await expect(loadTopology('./no.yaml', { relativeTo: join(folder, 'x') })).rejects.toThrow(
      join(folder, 'no.yaml'),
    );
  });

  it('that is broken is told with line and column', async () => {
    await expect(loadTopology(join(folder, 'broken.yml'))).rejects.toThrow(DocumentError);
  });
});
