import { errnoOf, quote } from '../../abi/index.js';
import { formatSize } from '../../base/size.js';
import type { StepBody } from '../language.js';
import { Refusal, Unmet } from './outcome.js';
import type { StepScope } from './scope.js';
import { toBytes } from './values.js';

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

export async function daxData(
  { of, offset, length, put, holds }: StepBody<'dax-data'>,
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
