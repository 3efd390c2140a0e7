/** A word as POSIX sh reads it back unchanged; without quotes where a person would type none. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_/.,:=+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
