import { readConfig } from './config/config-file.js';

/**
 * How many times as long as others a kernel takes for everything, by its .config: what checks each access to memory or each
 * lock takes its time, and under TCG much of it. A rough figure, to wait by and not to measure by.
 */
export function slownessOf(config: string): number {
  const options = readConfig(config);
  const has = (symbol: string): boolean => options.get(symbol)?.value === 'y';
  if (has('KASAN') || has('KMSAN') || has('KCSAN')) return 5;
  return has('PROVE_LOCKING') ? 2 : 1;
}
