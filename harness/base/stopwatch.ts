/**
 * Starts to measure a time.
 * @returns what gives the whole milliseconds since; the host's clock may be set meanwhile
 */
export function stopwatch(): () => number {
  const began = performance.now();
  return () => Math.round(performance.now() - began);
}
