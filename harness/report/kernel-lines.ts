/** The lines of a kernel log that the kernel itself wrote: the rig notes in it which line it types next. */
export function kernelLines(log: string): string[] {
  return log.split('\n').filter((line) => line.trim() !== '' && !/\] cxlrig: /.test(line));
}
