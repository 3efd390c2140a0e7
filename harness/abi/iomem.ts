import type { IomemResource } from './state.js';

/** /proc/iomem as a tree. Lines that are none of its own are left out. */
export function parseIomem(text: string): IomemResource[] {
  interface Growing extends IomemResource {
    readonly children: Growing[];
  }
  const roots: Growing[] = [];
  const open: Growing[] = [];
  for (const line of text.split('\n')) {
    const match = /^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$/.exec(line);
    if (!match) continue;
    const [, indent = '', start = '', end = '', name = ''] = match;
    const depth = Math.min(indent.length / 2, open.length);
    const resource: Growing = { start: parseInt(start, 16), end: parseInt(end, 16), name, children: [] };
    (open[depth - 1]?.children ?? roots).push(resource);
    open.length = depth;
    open.push(resource);
  }
  return roots;
}

/** Every resource with the names from the outermost one inwards. */
export function walkIomem(
  resources: readonly IomemResource[],
  above: readonly string[] = [],
): { readonly path: readonly string[]; readonly resource: IomemResource }[] {
  return resources.flatMap((resource) => {
    const path = [...above, resource.name];
    return [{ path, resource }, ...walkIomem(resource.children, path)];
  });
}
