import { z } from 'zod';

/**
 * What a comparison of two kernels found: compare.json, described for whoever reads it with other tools. The types
 * of the code come from it. Unknown keys are allowed: a newer cxlrig may add some without another version.
 */

export const COMPARISON_VERSION = 1;

/**
 * What became of a case from the base kernel to the head kernel, worst first. The first four decide the exit code 1:
 * each is something that the head does wrong, or cannot do any more, and the base is not known to.
 */
export const CHANGES = {
  regression: 'passes on the base and fails on the head; or fails on both, with a splat on the head alone',
  'lost-ability':
    'passes on the base and cannot be asked on the head, which lacks what the scenario requires',
  'new-failure': 'cannot be asked on the base, and fails on the head',
  'changed-failure': 'fails on both, in another way',
  'known-regression': 'passes on the base and fails on the head as the scenario declares (known-bugs)',
  fix: 'fails on the base and passes on the head',
  'new-ability': 'cannot be asked on the base, and passes on the head (or fails as declared)',
  'not-asked': 'fails on the base and cannot be asked on the head',
  'not-comparable': 'the rig failed on one of them, or the case was run on one only',
  behaviour: 'the same verdict on both, on the way to which the kernels did not do the same',
  timing: 'the same on both but for the time, by a large factor',
  same: 'no difference',
} as const;

export type Change = keyof typeof CHANGES;

/** What makes a comparison end with exit code 1. */
export const BAD_CHANGES: readonly Change[] = ['regression', 'lost-ability', 'new-failure'];

const change = z.enum(Object.keys(CHANGES) as [Change, ...Change[]]).meta({
  description: Object.entries(CHANGES)
    .map(([name, meaning]) => `${name}: ${meaning}`)
    .join('. '),
});

const milliseconds = z.number().meta({ description: 'milliseconds' });

const failure = z
  .looseObject({
    step: z.string().exactOptional().meta({ description: "the failed step's place and title" }),
    message: z.string(),
    place: z.string().exactOptional().meta({ description: 'file:line in the scenario' }),
    subject: z.string().exactOptional(),
    expected: z.unknown().exactOptional(),
    received: z.unknown().exactOptional(),
  })
  .meta({ id: 'comparedFailure' });

const outcome = z
  .looseObject({
    verdict: z.enum(['pass', 'fail', 'skip', 'known-bug', 'fixed', 'infra']),
    reason: z.string().exactOptional(),
    failure: failure.exactOptional(),
    milliseconds: milliseconds.meta({ description: 'milliseconds that the steps took, without booting' }),
    run: z.string().meta({ description: "the run's folder" }),
    artifacts: z.string().meta({ description: "folder of the case's files, relative to the run's" }),
    key: z.string().meta({ description: "the case's id in its run" }),
  })
  .meta({ id: 'comparedOutcome' });

const stepName = z.string().meta({ description: "the step's place and title" });

const difference = z
  .discriminatedUnion('kind', [
    z.looseObject({
      kind: z.literal('splat'),
      on: z.enum(['base', 'head']).meta({ description: 'the only kernel that said it' }),
      title: z.string(),
      fingerprint: z.string(),
      text: z.string(),
      allowed: z.boolean(),
    }),
    z.looseObject({
      kind: z.literal('answer'),
      step: stepName,
      line: z.string().meta({ description: 'what was typed' }),
      base: z.string().meta({ description: 'errno by name, exit status, or ok' }),
      head: z.string(),
    }),
    z.looseObject({
      kind: z.literal('state'),
      step: stepName.meta({ description: 'after which it was seen first' }),
      path: z.string().meta({
        description: 'names do not depend on numbering: a memdev goes by its serial, a region by its targets',
      }),
      base: z.unknown().exactOptional().meta({ description: 'absent: it is not there' }),
      head: z.unknown().exactOptional(),
    }),
    z.looseObject({
      kind: z.literal('timing'),
      step: stepName.meta({ description: 'that differs most' }),
      base: milliseconds,
      head: milliseconds,
      factor: z.number().meta({
        description: 'head / base, after what the head is slower or faster in general has been taken out',
      }),
    }),
  ])
  .meta({ id: 'difference' });

const comparedCase = z
  .looseObject({
    id: z.string(),
    title: z.string().exactOptional(),
    topology: z.string(),
    change,
    base: outcome.exactOptional().meta({ description: 'absent: it was not run there' }),
    head: outcome.exactOptional(),
    differences: z.array(difference),
  })
  .meta({ id: 'comparedCase' });

const side = z
  .looseObject({
    profile: z.string(),
    release: z.string(),
    id: z.string().meta({ description: 'equal ids: the same kernel' }),
    origin: z.string(),
    run: z.string().meta({ description: "the run's folder" }),
    qemu: z.string(),
    accelerator: z.string(),
    host: z.string(),
    cxlrig: z.string(),
    command: z.array(z.string()).meta({ description: 'what was typed after cxlrig for the run' }),
    at: z.number().meta({ description: 'start of the run, milliseconds since the Unix epoch' }),
  })
  .meta({ id: 'comparedKernel' });

export const comparisonSchema = z
  .looseObject({
    version: z.literal(COMPARISON_VERSION),
    base: side,
    head: side,
    counts: z.partialRecord(change, z.number()).meta({ description: 'how many cases, by change' }),
    pace: z.number().meta({ description: 'median over the cases of the time on the head / on the base' }),
    cases: z.array(comparedCase).meta({
      description: 'those that differ, the worst first; cases without a difference are only counted',
    }),
    exitCode: z.number(),
  })
  .meta({
    title: 'compare.json of cxlrig',
    description: 'what differs between two kernels under the same scenarios',
  });

export type Comparison = z.infer<typeof comparisonSchema>;
export type ComparedCase = Comparison['cases'][number];
export type ComparedOutcome = NonNullable<ComparedCase['base']>;
export type ComparedFailure = NonNullable<ComparedOutcome['failure']>;
export type ComparedKernel = Comparison['base'];
export type Difference = ComparedCase['differences'][number];

/** JSON Schema of compare.json. */
export function comparisonJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(comparisonSchema, { target: 'draft-7', unrepresentable: 'any' });
}
