import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { compareVersions, newestOf, stanzasNamed, type DebianPackage } from './debian-packages.js';

/** Cut from the Packages file of trixie-backports. */
const PACKAGES = `\
Package: linux-image-7.2.11+deb13-cloud-amd64
Source: linux-signed-amd64 (7.2.11+1~bpo13+1)
Version: 7.2.11-1~bpo13+1
Installed-Size: 15
Architecture: amd64
Depends: linux-base (>= 4.12~), initramfs-tools (>= 0.147~) | linux-initramfs-tool, linux-modules-7.2.11+deb13-cloud-amd64 (= 7.2.11-1~bpo13+1)
Description: Linux 7.2 for x86-64 cloud (signed)
Filename: pool/main/l/linux-signed-amd64/linux-image-7.2.11+deb13-cloud-amd64_7.2.11-1~bpo13+1_amd64.deb
Size: 1920
SHA256: 05b27196a8543e423236171a1bdd8c14d807bc7d5b9e002359598ecfa53680cc

Package: linux-image-7.2.9+deb13-cloud-amd64
Version: 7.2.9-1~bpo13+1
Architecture: amd64
Filename: pool/a.deb
Size: 1916
SHA256: 15b27196a8543e423236171a1bdd8c14d807bc7d5b9e002359598ecfa53680cc

Package: linux-image-7.2.9+deb13-cloud-amd64-dbg
Version: 7.2.9-1~bpo13+1
Architecture: amd64
Filename: pool/b.deb
Size: 1
SHA256: 25b27196a8543e423236171a1bdd8c14d807bc7d5b9e002359598ecfa53680cc

Package: linux-image-cloud-amd64
Version: 7.2.11-1~bpo13+1
Architecture: amd64
Filename: pool/c.deb
Size: 1
SHA256: 35b27196a8543e423236171a1bdd8c14d807bc7d5b9e002359598ecfa53680cc
`;

describe('a Packages file', () => {
  test('gives every field of the packages whose whole name matches', () => {
    const found = stanzasNamed('linux-image-*-cloud-amd64', PACKAGES, 'trixie-backports');
    expect(found.map(({ name }) => name)).toEqual([
      'linux-image-7.2.11+deb13-cloud-amd64',
      'linux-image-7.2.9+deb13-cloud-amd64',
    ]);
    expect(found[0]).toEqual({
      name: 'linux-image-7.2.11+deb13-cloud-amd64',
      version: '7.2.11-1~bpo13+1',
      architecture: 'amd64',
      suite: 'trixie-backports',
      depends: [
        { name: 'linux-base' },
        { name: 'initramfs-tools' },
        { name: 'linux-modules-7.2.11+deb13-cloud-amd64', version: '7.2.11-1~bpo13+1' },
      ],
      filename:
        'pool/main/l/linux-signed-amd64/linux-image-7.2.11+deb13-cloud-amd64_7.2.11-1~bpo13+1_amd64.deb',
      sha256: '05b27196a8543e423236171a1bdd8c14d807bc7d5b9e002359598ecfa53680cc',
      size: 1920,
    });
  });

  test('is asked for a name literally: a plus or a dot in it means itself', () => {
    expect(stanzasNamed('linux-image-7.2.9+deb13-cloud-amd64', PACKAGES, 's')).toHaveLength(1);
    expect(stanzasNamed('linux-image-7.2x9*', PACKAGES, 's')).toHaveLength(0);
  });

  test('does not leak one package’s fields into the next', () => {
    expect(stanzasNamed('linux-image-7.2.9+deb13-cloud-amd64', PACKAGES, 's')[0]?.depends).toEqual([]);
  });

  test('the newest is the newest by version, not by text', () => {
    const [first, ...rest] = stanzasNamed('linux-image-*-cloud-amd64', PACKAGES, 's').reverse();
    expect(newestOf([first, ...rest] as [DebianPackage, ...DebianPackage[]]).version).toBe(
      '7.2.11-1~bpo13+1',
    );
  });
});

describe('versions', () => {
  const ordered = ['1.0~rc1', '1.0', '1.0-1', '1.0-1+b1', '1.0-2', '1.0a', '1.0+1', '1.9', '1.10', '1:0.1'];

  test.each(ordered.slice(1).map((newer, i) => [ordered[i] ?? '', newer]))(
    '%s is before %s',
    (older, newer) => {
      expect(compareVersions(older, newer)).toBeLessThan(0);
      expect(compareVersions(newer, older)).toBeGreaterThan(0);
    },
  );

  test.each([
    ['1.0', '1.0'],
    ['0:1.0', '1.0'],
    ['1.0-0', '1.0'],
    ['1.02', '1.2'],
  ])('%s equals %s', (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
  });

  test.runIf(hasDpkg())('are ordered as dpkg orders them', () => {
    for (const a of ordered) {
      for (const b of ordered) {
        const relation = compareVersions(a, b) < 0 ? 'lt' : compareVersions(a, b) > 0 ? 'gt' : 'eq';
        execFileSync('dpkg', ['--compare-versions', a, relation, b]);
      }
    }
  });
});

function hasDpkg(): boolean {
  try {
    execFileSync('dpkg', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
