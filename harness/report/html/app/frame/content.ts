import { INDEX_ELEMENT, caseElement, type CaseContent, type PageIndex } from '../../page-content.js';

/** The run, as the page holds it. */
export function readIndex(): PageIndex {
  return JSON.parse(textOf(INDEX_ELEMENT)) as PageIndex;
}

const opened = new Map<number, Promise<CaseContent>>();
const MOST_OPEN = 20;

/** Unpacks a case (gzip in base64: a thousand of them must not make the page slow to open). */
export function readCase(index: number): Promise<CaseContent> {
  const known = opened.get(index);
  if (known) return known;
  const content = unpack(textOf(caseElement(index))).then((json) => JSON.parse(json) as CaseContent);
  opened.set(index, content);
  const [oldest] = opened.keys();
  if (opened.size > MOST_OPEN && oldest !== undefined) opened.delete(oldest);
  return content;
}

async function unpack(base64: string): Promise<string> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).text();
}

function textOf(id: string): string {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page is not whole: ${id} is missing`);
  return element.textContent;
}
