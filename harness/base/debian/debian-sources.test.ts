import { expect, test } from 'vitest';
import { sourcesNamed } from './debian-sources.js';

const SOURCES = `Package: ndc
Version: 1
Directory: pool/main/n/ndc
Checksums-Sha256:
 aa 1 ndc_1.orig.tar.gz

Package: ndctl
Binary: ndctl, cxl
Version: 81-1
Build-Depends: meson,
 libkmod-dev
Checksums-Sha256:
 bb 2495 ndctl_81-1.dsc
 cc 436889 ndctl_81.orig.tar.gz
Directory: pool/main/n/ndctl
Files:
 dd 436889 ndctl_81.orig.tar.gz

Package: ndctl
Version: 85-1
Checksums-Sha256:
 ee 3 ndctl_85.orig.tar.gz
Directory: pool/main/n/ndctl
`;

test('the files of a source package come with their paths and checksums', () => {
  expect(sourcesNamed('ndctl', SOURCES)[0]).toEqual({
    name: 'ndctl',
    version: '81-1',
    files: [
      { name: 'ndctl_81-1.dsc', path: 'pool/main/n/ndctl/ndctl_81-1.dsc', sha256: 'bb' },
      { name: 'ndctl_81.orig.tar.gz', path: 'pool/main/n/ndctl/ndctl_81.orig.tar.gz', sha256: 'cc' },
    ],
  });
});

test('every version is found, and no package of a similar name', () => {
  expect(sourcesNamed('ndctl', SOURCES).map(({ version }) => version)).toEqual(['81-1', '85-1']);
  expect(sourcesNamed('ndc', SOURCES).map(({ version }) => version)).toEqual(['1']);
  expect(sourcesNamed('ndct', SOURCES)).toEqual([]);
});
