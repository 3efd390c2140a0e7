import { Option, type Command } from 'commander';
import { createColors } from '../base/colors.js';
import { qemuVersion } from '../guest/index.js';
import { checkHost } from '../host/checks.js';
import type { Finding } from '../host/finding.js';
import { limitsText } from '../host/emulator.js';

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check whether this machine can run guests, with a remedy for what it lacks')
    .addOption(new Option('--json', 'print the findings as JSON'))
    .addOption(new Option('--limits', "print what QEMU's emulation of CXL can't do, with sources"))
    .addHelpText('after', '\nExit code: 0 guests can be run, 3 something is missing.')
    .action(async ({ json, limits }: { json?: boolean; limits?: boolean }) => {
      if (limits === true) {
        process.stdout.write(limitsText((await qemuVersion()).version));
        return;
      }
      const findings = await checkHost();
      process.stdout.write(
        json === true
          ? `${JSON.stringify(findings, null, 2)}\n`
          : findingsText(findings, process.stdout.isTTY),
      );
      process.exitCode = findings.some(({ status }) => status === 'fail') ? 3 : 0;
    });
}

/** One line a finding, its remedy on the next; then what it amounts to. */
export function findingsText(findings: readonly Finding[], color: boolean): string {
  const colors = createColors(color);
  const paint = { ok: colors.green, warn: colors.yellow, fail: colors.red };
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  const lines = findings.flatMap(({ subject, status, detail, remedy }) => [
    `${paint[status](status.padEnd(4))}  ${subject.padEnd(width)}  ${detail}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 8)}${colors.cyan(remedy)}`]),
  ]);
  const failed = findings.filter(({ status }) => status === 'fail').length;
  const verdict =
    failed === 0
      ? 'This machine can run guests.'
      : `This machine can't run guests: ${failed === 1 ? 'one thing' : `${failed} things`} to mend.`;
  return [...lines, '', verdict, ''].join('\n');
}
