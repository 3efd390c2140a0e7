/** The message of an expectation that failed, without how long and how often was looked and what moved meanwhile. */
export function apartFromWaiting(message: string): string {
  return message.replace(/\s*\((?:waited|held)\b[^)]*\)/g, '');
}
