import { describe, expect, test } from 'vitest';
import { nameHint } from './did-you-mean.js';

describe('an unknown name', () => {
  const names = ['current/cxl-cli', 'current/dpa-order', 'reported/pci-reset'];

  test('that is mistyped is answered with the likely one', () => {
    expect(nameHint('current/cxl-cly', names, 'scenarios')).toBe('did you mean current/cxl-cli?');
  });

  test('that is a part of names is answered with these', () => {
    expect(nameHint('pci-reset', names, 'scenarios')).toBe('did you mean reported/pci-reset?');
    expect(nameHint('current', names, 'scenarios')).toBe('scenarios: current/cxl-cli, current/dpa-order');
  });

  test('like none of many is answered with some, and how many more there are', () => {
    const many = Array.from({ length: 33 }, (_, index) => `name-${index}`);
    expect(nameHint('xxxxxxxxx', many, 'names')).toMatch(/^names: name-0, .*, name-29 and 3 more$/);
  });

  test('where there is none is answered so', () => {
    expect(nameHint('x', [], 'names')).toBe('there is no names');
  });
});
