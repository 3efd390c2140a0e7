/** Where in the report one is: the part of the address after `#`, so that every place can be linked to. */
export type Route =
  | { readonly page: 'overview'; readonly query: URLSearchParams }
  | { readonly page: 'case'; readonly key: string; readonly step?: string };

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, '');
  const match = /^case\/([^/]+)(?:\/step\/([^/]+))?$/.exec(text);
  if (match?.[1] !== undefined) {
    return {
      page: 'case',
      key: decoded(match[1]),
      ...(match[2] !== undefined && { step: decoded(match[2]) }),
    };
  }
  return { page: 'overview', query: new URLSearchParams(text.replace(/^\?/, '')) };
}

export function caseLink(key: string, step?: string): string {
  const base = `#case/${encodeURIComponent(key)}`;
  return step === undefined ? base : `${base}/step/${encodeURIComponent(step)}`;
}

export function overviewLink(query: URLSearchParams): string {
  const text = query.toString();
  return text === '' ? '#' : `#?${text}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
