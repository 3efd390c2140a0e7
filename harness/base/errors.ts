/**
 * The two ways in which cxlrig itself, and not the kernel under test, ends a run.
 * Whoever reads the message must learn what was being done, what happened, and what to type next.
 */

/** What the user gave us is wrong: a flag, a scenario, a topology, a profile, a patch. Nothing was booted. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** @param remedy what to type or change next, one sentence */
  constructor(
    message: string,
    readonly remedy?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Several things that the user gave us are wrong, each as it would be told alone. */
export class UsageErrors extends UsageError {
  constructor(readonly errors: readonly UsageError[]) {
    super(errors.map(({ message }) => message).join('\n\n'));
  }
}

/** The stages in which the rig can fail before the kernel under test could be asked anything. */
export type RigStage =
  'host' | 'download' | 'kernel' | 'image' | 'qemu' | 'firmware' | 'boot' | 'init' | 'ssh' | 'qmp' | 'trace';

/** The rig could not ask the question. Exit code 3 (125 in bisection). */
export class RigError extends Error {
  override readonly name = 'RigError';
  /**
   * @param stage where it happened
   * @param remedy what to type or change next, one sentence
   * @param evidence the last lines of the log that shows it, newest last
   */
  constructor(
    readonly stage: RigStage,
    message: string,
    readonly remedy?: string,
    readonly evidence: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
