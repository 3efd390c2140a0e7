import { expect, test } from 'vitest';
import { caseLink, overviewLink, parseRoute } from './route.js';

test.each(['current/kmem [policy=online] @stock', 'a%2Fb', '</script>', 'ünïcode #?&'])(
  'the link to a step of %j leads there',
  (key) => {
    expect(parseRoute(caseLink(key, 'cleanup.1'))).toEqual({ page: 'case', key, step: 'cleanup.1' });
    expect(parseRoute(caseLink(key))).toEqual({ page: 'case', key });
  },
);

test('what is no link leads to the overview, with its filters if it has some', () => {
  expect(parseRoute('')).toMatchObject({ page: 'overview' });
  const route = parseRoute(overviewLink(new URLSearchParams('verdict=fail')));
  expect(route.page === 'overview' && route.query.get('verdict')).toBe('fail');
});
