import { open, type FileHandle } from 'node:fs/promises';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  createRegionLines,
  destroyRegionLines,
  nextRegionLine,
  readState,
  typeLines,
  type State,
} from '../abi/index.js';
import { RigError } from '../base/errors.js';
import type { GuestShell } from '../guest/index.js';
import { backingFile, type MachinePlan } from '../topology/index.js';
import { PATTERN_BYTES, placesOf, type Place } from './places.js';
import { regionTrials, type RegionTrial } from './trials.js';

/** What came of one region. */
export interface TrialResult {
  readonly trial: RegionTrial;
  /** why the kernel would not have it: nothing was tried then */
  readonly refused?: string;
  /** places whose pattern was not read back, and those where the backend has it not */
  readonly lost: readonly string[];
  readonly places: number;
}

const TIMEOUT_MS = 120_000;

/**
 * Makes one region after the other, writes a pattern of its own to many places of each, and reads all back when all are
 * written; where the machine's devices have files behind them, looks there too. The guest has no region yet and has
 * none afterwards. Nothing is bound to a region: what is tried is the way from an address to a device, by /dev/mem.
 * @param folder where `withBackingFiles` put the devices' files
 * @throws GuestDied, GuestTimeout; RigError when a memdev is missing
 */
export async function proveDataPath(
  guest: GuestShell,
  plan: MachinePlan,
  folder?: string,
): Promise<TrialResult[]> {
  const results: TrialResult[] = [];
  for (const trial of regionTrials(plan)) results.push(await tryRegion(guest, trial, folder));
  return results;
}

async function tryRegion(guest: GuestShell, trial: RegionTrial, folder?: string): Promise<TrialResult> {
  const rootDecoder = `decoder0.${trial.window.index}`;
  const decoders = freeDecoders(trial, await readState(guest));
  const [offered] = await typeLines(guest, [nextRegionLine(rootDecoder, trial.mode)], {
    timeoutMs: TIMEOUT_MS,
  });
  const name = offered?.stdout.trim() ?? '';
  const dpaSize = trial.size / trial.devices.length;
  const lines = createRegionLines(name, {
    mode: trial.mode,
    rootDecoder,
    ...(trial.mode === 'pmem' && { uuid: randomUUID() }),
    granularity: trial.granularity,
    ways: trial.devices.length,
    size: trial.size,
    targets: decoders.map((decoder) => ({ decoder, dpaSize })),
  });
  const typed = await typeLines(guest, lines, { timeoutMs: TIMEOUT_MS });
  const failed = typed.find(({ code }) => code !== 0);
  try {
    if (failed)
      return { trial, refused: `${failed.text}: ${failed.errno ?? failed.stderr}`, lost: [], places: 0 };
    const state = await readState(guest);
    const start = state.regions[name]?.start ?? 0;
    const places = placesOf(trial, start);
    const salt = randomBytes(8).toString('hex');
    const patterns = places.map(({ offset }) => patternOf(salt, offset));
    const missing = await writeAndRead(
      guest,
      places.map(({ offset }) => start + offset),
      patterns,
    );
    const lost = missing.map((index) => `${describe(trial, places[index])} was not read back`);
    const misplaced =
      folder === undefined ? [] : await misplacedOf(trial, places, patterns, decoders, state, folder);
    return { trial, lost: [...lost, ...misplaced], places: places.length };
  } finally {
    const region = (await readState(guest)).regions[name];
    const rest = destroyRegionLines({ ...(region && { region: { ...region, name } }), decoders });
    await typeLines(guest, rest, { timeoutMs: TIMEOUT_MS, keepGoing: true });
  }
}

/** In the guest: patterns are written by read(2) from a pipe to the mapping of /dev/mem, and read by write(2). */
const PERL = `
use Fcntl;
sysopen M, "/dev/mem", O_RDWR or die "/dev/mem: $!";
pipe R, W;
my $n = ${PATTERN_BYTES};
sub at { my $a = shift; my $m = syscall(9, 0, 4096, 3, 1, fileno M, $a - $a % 4096); die "mmap: $!" if $m == -1; ($m, $m + $a % 4096) }
my @lines = map { [split] } <STDIN>;
for (@lines) { my ($m, $p) = at($_->[0]); syswrite W, pack "H*", $_->[1]; syscall(0, fileno R, $p, $n) == $n or die "write: $!"; syscall(11, $m, 4096) }
for (0 .. $#lines) { my ($m, $p) = at($lines[$_][0]); syscall(1, fileno W, $p, $n) == $n or die "read: $!"; sysread R, my $b, $n; syscall(11, $m, 4096); print "$_\\n" if $b ne pack "H*", $lines[$_][1] }
`;

/** @returns indices of the places that did not give back what was written there */
async function writeAndRead(
  guest: GuestShell,
  addresses: readonly number[],
  patterns: readonly Buffer[],
): Promise<number[]> {
  const stdin = addresses.map((address, n) => `${address} ${patterns[n]?.toString('hex') ?? ''}\n`).join('');
  const { code, stdout, stderr } = await guest.exec(`perl -e '${PERL}'`, { stdin, timeoutMs: TIMEOUT_MS });
  if (code !== 0) throw new RigError('qemu', `the pattern can't be written: ${stderr.toString().trim()}`);
  return stdout.toString().split('\n').filter(Boolean).map(Number);
}

/** Patterns that are not where the device has them to have, by the file behind it. */
async function misplacedOf(
  trial: RegionTrial,
  places: readonly Place[],
  patterns: readonly Buffer[],
  decoders: readonly string[],
  state: State,
  folder: string,
): Promise<string[]> {
  const files = new Map<string, FileHandle>();
  try {
    const found: string[] = [];
    for (const [index, place] of places.entries()) {
      const { device } = place;
      const dpa = state.decoders[decoders[trial.devices.indexOf(device)] ?? '']?.dpaStart;
      if (dpa === undefined) continue;
      const path = backingFile(folder, device, trial.mode === 'ram' ? 'volatile' : 'persistent');
      const file = files.get(path) ?? (await open(path));
      files.set(path, file);
      const begin = dpa - (trial.mode === 'ram' ? 0 : device.volatileBytes);
      const { buffer } = await file.read(
        Buffer.alloc(PATTERN_BYTES),
        0,
        PATTERN_BYTES,
        begin + place.deviceOffset,
      );
      if (!patterns[index]?.equals(buffer))
        found.push(`${describe(trial, place)} is not there behind the device`);
    }
    return found;
  } finally {
    await Promise.all([...files.values()].map((file) => file.close()));
  }
}

function freeDecoders({ devices }: RegionTrial, state: State): string[] {
  return devices.map(({ id, serial }) => {
    const memdev = Object.entries(state.memdevs).find(([, one]) => one.serial === serial)?.[0];
    const decoder = Object.entries(state.decoders)
      .filter(([, one]) => one.memdev === memdev && memdev !== undefined && !one.dpaSize)
      .map(([name]) => name)
      .sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]))[0];
    if (decoder === undefined) throw new RigError('qemu', `the guest has no free endpoint decoder of ${id}`);
    return decoder;
  });
}

function patternOf(salt: string, offset: number): Buffer {
  return createHash('sha512').update(`${salt} ${offset}`).digest().subarray(0, PATTERN_BYTES);
}

/** `window0, ram over mem0 mem1, granularity 256: offset 0x100 (target 1)`. */
function describe({ window, mode, devices, granularity }: RegionTrial, place?: Place): string {
  const over = devices.map(({ id }) => id).join(' ');
  const offset = place === undefined ? '' : `: offset 0x${place.offset.toString(16)} (${place.device.id})`;
  return `${window.id}, ${mode} over ${over}, granularity ${granularity}${offset}`;
}
