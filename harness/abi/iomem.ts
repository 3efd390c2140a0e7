import type { IomemResource } from './state.js';

/** /proc/iomem as a tree. Lines that are none of its own are left out. */
export function parseIomem(text: string): Record<string, IomemResource> {
  const roots: Record<string, IomemResource> = {};
  const open: Record<string, IomemResource>[] = [];
  for (const line of text.split('\n')) {
    const match = /^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$/.exec(line);
    if (!match) continue;
    const [, indent = '', start = '', end = '', name = ''] = match;
    const depth = Math.min(indent.length / 2, open.length);
    const children: Record<string, IomemResource> = {};
    const siblings = open[depth - 1] ?? roots;
    siblings[rangeName(start, end)] = { start: parseInt(start, 16), end: parseInt(end, 16), name, children };
    open.length = depth;
    open.push(children);
  }
  return roots;
}

/** Every resource with the names from the outermost one inwards. */
export function walkIomem(
  resources: Readonly<Record<string, IomemResource>>,
  above: readonly string[] = [],
): { readonly path: readonly string[]; readonly resource: IomemResource }[] {
  return Object.values(resources).flatMap((resource) => {
    const path = [...above, resource.name];
    return [{ path, resource }, ...walkIomem(resource.children, path)];
  });
}

/** Without the zeros that /proc/iomem pads with. */
function rangeName(start: string, end: string): string {
  const plain = (address: string): string => address.replace(/^0+(?=.)/, '');
  return `${plain(start)}-${plain(end)}`;
}
