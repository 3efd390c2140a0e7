import { z } from 'zod';
import { KexecRefused } from '../../guest/guest.js';
import { RETAIN_INITRD } from '../../guest/kexec.js';
import { kernelOption } from '../language/scalars.js';
import { Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { defineStep } from './definition.js';
import { startAnew } from './reboot.js';

const schema = z
  .strictObject({
    cmdline: z.array(kernelOption).optional().meta({
      description: 'options for that kernel, after those of the running one',
    }),
  })
  .meta({
    description:
      'starts the same kernel anew without a reset of the machine: what its devices have committed stays so, as if firmware had done it',
    examples: [{ cmdline: ['memmap=${r.size}%${r.start}+0xefffffff'] }],
  });

export const kexec = defineStep({
  schema,
  honours: [],
  instead: { timeout: 'a kexec has the deadline of a boot' },
  cmdline: RETAIN_INITRD,
  endsKernel: true,
  title: ({ cmdline = [] }) => ['kexec', ...cmdline].join(' '),
  run: startBySelf,
});

const NEEDED = ['/sys/kernel/kexec_loaded', '/sys/firmware/initrd'];

async function startBySelf({ cmdline = [] }: z.output<typeof schema>, scope: StepScope): Promise<void> {
  const answer = await scope.ask(`for f in ${NEEDED.join(' ')}; do [ -e $f ] || echo $f; done`);
  const [missing] = answer.split('\n');
  if (missing)
    throw new Unmet({
      message: `this kernel can't kexec: it has no ${missing} (say \`requires: [{ attribute: ${missing} }]\`)`,
      path: [],
      subject: missing,
      blame: 'scenario',
    });
  await startAnew(scope, 'kexec', async () => {
    await scope.session.context.guest.kexec(cmdline).catch((error: unknown) => {
      throw error instanceof KexecRefused ? new Unmet({ message: error.message, path: [] }) : error;
    });
  });
  scope.session.isKexeced = true;
}
