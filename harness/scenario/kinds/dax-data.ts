import { z } from 'zod';
import { errnoOf } from '../../abi/index.js';
import { quote } from '../../base/sh-quote.js';
import { formatSize, parseSize } from '../../base/size.js';
import type { Fault } from '../load/case-knowledge.js';
import { deviceName, size } from '../language/scalars.js';
import { Refusal, Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { toBytes } from '../steps/values.js';
import { OF_LINES, defineStep } from './definition.js';
import { sizeOf } from './words.js';

const pattern = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,30}$/,
    'not the name of a pattern: lower-case letters, digits and -, a letter first',
  );

const body = z
  .strictObject({
    of: deviceName.meta({ description: 'the dax device' }),
    offset: size.default(0).meta({ description: 'from its beginning' }),
    length: size.default('4K').meta({ description: '64K at most, within 2M of the device' }),
    put: pattern.optional().meta({ description: 'writes the pattern of this name' }),
    holds: pattern.optional().meta({ description: 'the pattern of this name must be there' }),
  })
  .meta({
    description: 'writes a pattern to a dax device, or reads it, by mmap of /dev/daxX.Y',
    examples: [{ of: 'r.dax', offset: '2M', put: 'red' }],
  });

export const daxData = defineStep({
  schema: body,
  honours: OF_LINES,
  title: ({ of, offset, put, holds }) =>
    put === undefined
      ? `find the pattern ${holds ?? ''} at ${sizeOf(offset)} of ${of}`
      : `put the pattern ${put} at ${sizeOf(offset)} of ${of}`,
  faults: ({ put, holds, length, offset }): Fault[] => {
    if ((put === undefined) === (holds === undefined))
      return [{ path: [], message: 'a pattern is put or looked for: one of `put`, `holds`' }];
    const [bytes, at] = [length, offset].map((value) =>
      typeof value === 'string' ? parseSize(value) : value,
    );
    if (bytes === undefined || at === undefined) return [];
    if (bytes === 0 || bytes > MOST_BYTES)
      return [{ path: ['length'], message: 'a pattern has 64K at most, and a byte at least' }];
    if (Math.floor(at / MAPPED_BYTES) === Math.floor((at + bytes - 1) / MAPPED_BYTES)) return [];
    return [
      { path: ['length'], message: 'a pattern lies within 2M of the device: a multiple of 2M is in the way' },
    ];
  },
  run: putOrFind,
});

const MOST_BYTES = 64 * 2 ** 10;
/** What is mapped at once: a huge page, as devices of less can't be mapped. */
const MAPPED_BYTES = 2 * 2 ** 20;

/**
 * perl, as busybox has no mmap(2) (9): what comes through a pipe is read(2) (0) to the mapping's address. The pattern is lines of
 * 64 characters, its name and their number, so that what is there instead can be read.
 */
const PROGRAM = [
  'my ($do, $dev, $at, $len, $name) = @ARGV',
  'my $data = substr join("", map { sprintf "%-31.31s %31d\\n", $name, $_ } 0 .. $len / 64), 0, $len',
  'open F, $do eq "put" ? "+<" : "<", $dev or die "open: $!\\n"',
  'my $p = syscall 9, 0, 2 << 20, $do eq "put" ? 3 : 1, 1, fileno F, $at - $at % (2 << 20)',
  'die "mmap: $!\\n" if $p < 0',
  '$p += $at % (2 << 20)',
  'if ($do eq "put") { pipe R, W; syswrite W, $data; syscall(0, fileno R, $p, $len) == $len or die "write: $!\\n"; exit }',
  'my $found = unpack "P$len", pack "Q", $p',
  'exit if $found eq $data',
  'print substr $found, 0, 63',
  'exit 3',
].join('; ');

const OTHER_DATA = 3;

async function putOrFind(
  { of, offset, length, put, holds }: z.output<typeof body>,
  scope: StepScope,
): Promise<void> {
  const [at, bytes] = [toBytes(offset, ['offset']), toBytes(length, ['length'])];
  const name = put ?? holds ?? '';
  const words = [put === undefined ? 'get' : 'put', `/dev/${of}`, `${at}`, `${bytes}`, name];
  const text = `perl -e ${quote(PROGRAM)} ${words.map(quote).join(' ')}`;
  const begun = Date.now();
  const { stdout, stderr, code, milliseconds } = await scope.exec(text);
  if (code === 0) return;
  if (code === OTHER_DATA) {
    throw new Unmet({
      message: `the pattern ${name} is not at ${formatSize(at)} of ${of}`,
      path: ['holds'],
      subject: `/dev/${of}`,
      expected: name,
      received: printable(stdout),
    });
  }
  const said = stderr.toString('utf8');
  const errno = errnoOf(said);
  throw new Refusal({
    // the program itself is in the trace
    text: `${put === undefined ? 'find' : 'put'} ${name} at ${formatSize(at)} of /dev/${of}`,
    subject: `/dev/${of}`,
    stdout: '',
    stderr: said,
    code: code ?? 128,
    ...(errno !== undefined && { errno }),
    at: begun,
    milliseconds,
  });
}

/** What is there instead: a line of a pattern, or bytes. */
function printable(found: Buffer): string {
  const text = found.toString('latin1');
  return /^[\x20-\x7e]+$/.test(text) ? text.replace(/ +/g, ' ') : found.subarray(0, 16).toString('hex');
}
