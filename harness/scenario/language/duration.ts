/** Durations as people write them in scenarios: `500ms`, `5s`, `2m`. */

const UNITS = { ms: 1, s: 1000, m: 60_000 } as const;

const DURATION = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m)$/;

/** Nothing in a scenario waits longer than a day: beyond it timers overflow, and nobody means it. */
export const LONGEST_MS = 24 * 60 * 60_000;

/**
 * Milliseconds of a duration written as text.
 * @returns undefined when the text is not a duration or is longer than a day
 */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (!match) return undefined;
  const milliseconds = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
  return milliseconds <= LONGEST_MS ? milliseconds : undefined;
}
