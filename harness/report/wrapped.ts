/** What mailing lists ask of text: a reply that quotes it twice still fits into 80 columns. */
const WIDTH = 72;

interface WrapOptions {
  /** before every line */
  readonly indent?: string;
  /** before the first line instead; the others are indented by its width */
  readonly first?: string;
}

/** Text in lines of at most 72 columns; a word that is longer stays whole. */
export function wrapped(text: string, { indent = '', first = indent }: WrapOptions = {}): string[] {
  const hanging = indent.padEnd(first.length);
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${last === undefined ? first : hanging}${word}`);
  }
  return lines;
}
