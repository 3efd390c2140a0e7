import type { RunEnvironment } from '../../../../trace/trace.js';
import { h } from '../frame/dom.js';
import { bytes } from '../frame/text.js';

/** What the run stood on. Details fold away: they matter when two runs disagree. */
export function environment(run: RunEnvironment): HTMLElement {
  const kernels = run.kernels.map(({ profile, release }) => `${profile} ${release}`).join(', ');
  return h(
    'details',
    { class: 'environment' },
    h('summary', {}, `${kernels} · QEMU ${run.qemu} · ${run.accelerator}`),
    h(
      'dl',
      {},
      ...run.kernels.flatMap(({ profile, release, origin, id, tools }) => [
        ...pair(`kernel ${profile}`, `${release} from ${origin} (${id})`),
        ...(tools ? pair('tools', `${tools.origin} (${tools.id})`) : []),
      ]),
      ...pair('QEMU', run.qemu),
      ...pair('accelerator', `${run.accelerator}: ${run.acceleratorReason}`),
      ...pair('host', `${run.host.distribution}, kernel ${run.host.kernel}`),
      ...pair(
        '',
        `${run.host.cpus} CPUs, ${bytes(Math.round(run.host.memoryBytes / 2 ** 28) * 2 ** 28)} of memory`,
      ),
      ...pair('cxlrig', `${run.cxlrig}, Node ${run.node}`),
    ),
  );
}

function pair(name: string, value: string): HTMLElement[] {
  return [h('dt', {}, name), h('dd', {}, value)];
}
