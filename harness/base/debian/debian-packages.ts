/** Debian's Packages files as text: pure functions. */

export interface Dependency {
  readonly name: string;
  /** set where exactly one version will do (`= x`) */
  readonly version?: string;
}

/** One version of a package in an archive. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** by codename: `trixie-backports` */
  readonly suite: string;
  /** Depends and Pre-Depends; of alternatives the first */
  readonly depends: readonly Dependency[];
  /** path below the archive's address */
  readonly filename: string;
  readonly sha256: string;
  /** of the .deb, in bytes */
  readonly size: number;
}

/** The packages of a Packages file whose name matches; `*` stands for any text. */
export function stanzasNamed(pattern: string, packagesFile: string, suite: string): DebianPackage[] {
  const name = pattern.split('*').map(escapeRegExp).join('[^\n]*');
  const found: DebianPackage[] = [];
  for (const match of packagesFile.matchAll(new RegExp(`^Package: ${name}$`, 'gm'))) {
    const end = packagesFile.indexOf('\n\n', match.index);
    found.push(parseStanza(packagesFile.slice(match.index, end < 0 ? undefined : end), suite));
  }
  return found;
}

/** The newest by Debian's order of versions; of equal ones the first. */
export function newestOf(packages: readonly [DebianPackage, ...DebianPackage[]]): DebianPackage {
  return packages.reduce((best, other) => (compareVersions(other.version, best.version) > 0 ? other : best));
}

/**
 * Debian's order of versions (deb-version(7)): epoch, upstream version, revision; runs of non-digits and of digits by
 * turns, `~` before the end of the text, letters before other characters.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [splitVersion(a), splitVersion(b)];
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

function parseStanza(stanza: string, suite: string): DebianPackage {
  const field = (name: string) =>
    new RegExp(`^${name}: ?(.*(?:\n[ \t].*)*)`, 'm').exec(stanza)?.[1]?.trim() ?? '';
  return {
    name: field('Package'),
    version: field('Version'),
    architecture: field('Architecture'),
    suite,
    depends: [...parseDepends(field('Pre-Depends')), ...parseDepends(field('Depends'))],
    filename: field('Filename'),
    sha256: field('SHA256'),
    size: Number(field('Size')),
  };
}

function parseDepends(text: string): Dependency[] {
  return text
    .split(',')
    .map((alternatives) => /^\s*([^\s:(|]+)(?::\w+)?\s*(?:\(=\s*([^)\s]+)\))?/.exec(alternatives))
    .filter((match) => match !== null)
    .map(([, name = '', version]) => ({ name, ...(version === undefined ? {} : { version }) }));
}

function splitVersion(version: string) {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? 0 : Number(version.slice(0, colon)),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

function compareParts(a: string, b: string): number {
  const [left, right] = [tokens(a), tokens(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [l = { text: '', number: 0 }, r = { text: '', number: 0 }] = [left[i], right[i]];
    const order = compareText(l.text, r.text) || l.number - r.number;
    if (order !== 0) return order;
  }
  return 0;
}

/** Cuts `1.2~rc` into ("", 1) (".", 2) ("~rc", 0). */
function tokens(part: string): { text: string; number: number }[] {
  return [...part.matchAll(/(\D*)(\d*)/g)]
    .filter(([whole]) => whole !== '')
    .map(([, text = '', digits = '']) => ({ text, number: Number(digits) }));
}

function compareText(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = weight(a[i]) - weight(b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function weight(character: string | undefined): number {
  if (character === '~') return -1;
  if (character === undefined) return 0;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
