import { z } from 'zod';
import { errnoOf } from '../../abi/index.js';
import { quote } from '../../base/sh-quote.js';
import { guestPath } from '../language/scalars.js';
import { Refusal, Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { OF_LINES, defineStep } from './definition.js';

const schema = z
  .strictObject({
    path: guestPath.meta({ description: 'a file of the guest, of 64 MiB at most' }),
  })
  .meta({
    description: "copies a file of the guest into the folder `files` of the case's artifacts",
    examples: [{ path: '/tmp/trace.dat' }],
  });

export const copyOut = defineStep({
  schema,
  honours: OF_LINES,
  title: ({ path }) => `keep ${path}`,
  run: keepFile,
});

const MOST_BYTES = 64 * 2 ** 20;

/** Keeps a file of the guest among the artifacts of the case. */
async function keepFile({ path }: z.output<typeof schema>, scope: StepScope): Promise<void> {
  // a byte more than may be, to see that there are more
  const text = `head -c ${MOST_BYTES + 1} -- ${quote(path)}`;
  const at = Date.now();
  const { stdout, stderr, code, milliseconds } = await scope.fetch(text);
  if (code !== 0) {
    const said = stderr.toString('utf8');
    const errno = errnoOf(said);
    throw new Refusal({
      text,
      subject: path,
      stdout: '',
      stderr: said,
      code: code ?? 128,
      ...(errno !== undefined && { errno }),
      at,
      milliseconds,
    });
  }
  const isKept = stdout.length <= MOST_BYTES && (await scope.session.context.keepFile(path, stdout));
  if (isKept) return;
  throw new Unmet({
    message: `${path} is too large to be kept: ${MOST_BYTES / 2 ** 20} MiB a file, and four times as much a case`,
    path: ['path'],
    blame: 'scenario',
  });
}
