import { describe, expect, test } from 'vitest';
import { loadTopology } from '../../../../topology/index.js';
import { sampleRun } from '../../../testing/sample-run.js';
import { layOutTopology } from './topology-layout.js';
import { replay } from '../../../replay.js';

describe('the picture of a topology', () => {
  test('has every part of the machine, none over another, and wires from the bridges to the devices', async () => {
    const machine = await loadTopology('two-bridges-two-switches');
    const { boxes, wires, columns } = layOutTopology(machine, undefined);
    expect(columns).toBe(8);
    const ids = boxes.map(({ id }) => id);
    for (const { id } of [
      ...machine.hostBridges,
      ...machine.ports,
      ...machine.switches,
      ...machine.devices,
    ]) {
      expect(ids).toContain(id);
    }
    const places = boxes.flatMap(({ row, column, span }) =>
      Array.from({ length: span }, (_, n) => `${row}/${column + n}`),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(wires).toContainEqual({ from: 'rp0', to: 'sw0' });
    expect(wires).toContainEqual({ from: 'sw0-dp0', to: 'mem0' });
  });

  test('draws a region under the devices that it interleaves over, in their order', async () => {
    const { traces } = await sampleRun();
    const [trace] = traces;
    if (!trace) throw new Error('no sample');
    const layout = layOutTopology(trace.machine, replay(trace)[1]?.after);
    expect(layout.regions).toMatchObject([{ name: 'region0', committed: true, columns: [0, 1] }]);
    expect(layout.regions[0]?.text).toBe('region0 · 512M · x2 at 256 · cxl_region');
  });

  test('shows free ports, and a machine without CXL as nothing', async () => {
    const { boxes } = layOutTopology(await loadTopology('hot-plug'), undefined);
    expect(boxes.some(({ kind }) => kind === 'empty')).toBe(true);
    expect(layOutTopology(await loadTopology('none'), undefined).boxes).toEqual([]);
  });
});
