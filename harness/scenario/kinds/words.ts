import { formatSize } from '../../base/size.js';

/** Of titles of steps. */

export function sizeOf(size: string | number): string {
  return typeof size === 'number' ? formatSize(size) : size;
}

export function argumentsOf(args: string | readonly string[]): string {
  return typeof args === 'string' ? args.trim() : args.join(' ');
}
