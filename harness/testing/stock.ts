import { silent } from '../base/progress.js';
import { chooseProfile } from '../kernel/index.js';
import type { Bootable } from '../run/briefing.js';
import { prepareBootable } from '../run/prepare.js';

let stock: Promise<Bootable> | undefined;

/** The stock kernel and its image: from the cache, or fetched and built, which takes a minute. */
export function bootableStock(): Promise<Bootable> {
  return (stock ??= chooseProfile({}).then((profile) => prepareBootable(profile, { progress: silent })));
}
