/**
 * How mmdebstrap is told to need neither root rights nor user namespaces. As root it refuses this mode since 1.5, because
 * maintainer scripts would run on the host: ours never asks for a variant that runs any.
 */
export const CHROOTLESS: readonly string[] = ['--mode=chrootless', '--skip=check/chrootless'];
