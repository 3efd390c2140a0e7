import { mkdir, rm, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { cacheRoot } from '../../base/places.js';
import { faultTest } from '../../testing/fault.js';
import { bootableStock } from '../../testing/stock.js';
import {
  bench,
  start,
  inNamespace,
  onSmallDisk,
  finished,
  leftIn,
  now,
  secondsSince,
} from './testing/bench.js';
import { copiedCache, inCopy, spoil } from './testing/copied-cache.js';
import { corruptingProxy, NO_NETWORK } from './testing/evil-host.js';

/** Everything is there before anything is timed. */
beforeAll(async () => {
  await bootableStock();
});

describe('what goes wrong with the cache', () => {
  faultTest(
    {
      fault: 'disk full while the cache is filled',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /disk (?:of the cache )?is full[^]*CXLRIG_CACHE/,
      withinSeconds: 60,
    },
    async () => {
      const work = await bench();
      const cache = join(work.dir, 'cache');
      return finished(onSmallDisk(work, cache, '8m', [`export CXLRIG_CACHE=${cache}`]));
    },
  );

  faultTest(
    {
      fault: 'read-only cache that has all',
      in: 'rig',
      outcome: 'pass',
      says: /1 pass/,
      withinSeconds: 60,
    },
    async () => {
      const work = await bench();
      const cache = cacheRoot();
      return finished(
        inNamespace(work, [`mount -o bind ${cache} ${cache}`, `mount -o remount,bind,ro ${cache}`]),
      );
    },
  );

  faultTest(
    {
      fault: 'read-only cache that lacks something',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /can't be written[^]*CXLRIG_CACHE/,
      withinSeconds: 30,
    },
    async () => {
      const work = await bench();
      const cache = join(work.dir, 'cache');
      await mkdir(cache);
      const readOnly = [`mount -o bind ${cache} ${cache}`, `mount -o remount,bind,ro ${cache}`];
      return finished(inNamespace(work, [...readOnly, `export CXLRIG_CACHE=${cache}`]));
    },
  );

  faultTest(
    {
      fault: 'no network, and the cache has all',
      in: 'rig',
      outcome: 'pass',
      says: /1 pass/,
      withinSeconds: 60,
    },
    async () => finished(start(await bench(), { env: NO_NETWORK })),
  );

  faultTest(
    {
      fault: 'no network, and the cache lacks something',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /download: .*could not[^]*check the network/,
      withinSeconds: 90,
    },
    async () => {
      const work = await bench();
      return finished(start(work, { env: { ...NO_NETWORK, CXLRIG_CACHE: join(work.dir, 'cache') } }));
    },
  );

  faultTest(
    {
      fault: 'packages, and then the index, come corrupt from the mirror',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /download: apt could not get the package index[^]*isn't valid/,
      withinSeconds: 60,
    },
    async () => {
      const work = await bench();
      const cache = await copiedCache(work);
      await rm(dirname(await inCopy(cache, 'kernel')), { recursive: true });
      const proxy = await corruptingProxy();
      return finished(start(work, { env: { CXLRIG_CACHE: cache, http_proxy: proxy } }));
    },
  );

  faultTest(
    {
      fault: 'two runs race for one cache entry that was cut short',
      in: 'rig',
      outcome: 'pass',
      says: /1 pass/,
      withinSeconds: 180,
    },
    async () => {
      const work = await bench();
      const cache = await copiedCache(work);
      await truncate(await inCopy(cache, 'initramfs'), 1_000_000);
      const from = now();
      const [one, two] = await Promise.all([
        finished(start(work, { env: { CXLRIG_CACHE: cache } })),
        finished(start(work, { env: { CXLRIG_CACHE: cache }, out: 'runs-too' })),
      ]);
      expect(two.told).toMatch(/1 pass/);
      const left = await leftIn(work.dir);
      return { ...one, seconds: secondsSince(from), left };
    },
  );

  faultTest(
    {
      fault: 'initramfs of the cache corrupt, its size unchanged',
      in: 'rig',
      outcome: 'infra',
      says: /initramfs is corrupt[^]*removed from the cache/,
      withinSeconds: 240,
    },
    async () => {
      const work = await bench();
      const cache = await copiedCache(work);
      await spoil(await inCopy(cache, 'initramfs'), 0.2);
      const spoilt = await finished(start(work, { env: { CXLRIG_CACHE: cache } }));
      const again = await finished(start(work, { env: { CXLRIG_CACHE: cache } }));
      expect(again.told).toMatch(/1 pass/);
      return spoilt;
    },
  );

  faultTest(
    {
      fault: 'kernel of the cache corrupt, its size unchanged',
      in: 'rig',
      outcome: 'infra',
      says: /vmlinux is corrupt[^]*removed from the cache/,
      withinSeconds: 180,
    },
    async () => {
      const work = await bench();
      const cache = await copiedCache(work);
      await spoil(await inCopy(cache, 'kernel'), 0.05);
      return finished(start(work, { env: { CXLRIG_CACHE: cache } }));
    },
  );
});
