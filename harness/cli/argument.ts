import { InvalidArgumentError } from 'commander';

/** A whole number on the command line. */
export function count(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 1000)
    throw new InvalidArgumentError('a whole number is needed.');
  return number;
}

export function regexp(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** For options that may be given several times. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
