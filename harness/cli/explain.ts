import { createColors } from '../base/colors.js';
import { DocumentError, renderDiagnostic } from '../base/document/diagnostic.js';
import { RigError, UsageError, UsageErrors } from '../base/errors.js';
import { NothingChanged } from '../run/history.js';

export const INTERRUPTED = 130;

/**
 * Prints why the command could not do its work, for a person.
 * @returns the exit code: 0 there was nothing to do, 2 what the user gave is wrong, 3 the rig could not, 130 interrupted
 */
export function explain(error: unknown, stream: NodeJS.WriteStream): number {
  const colors = createColors(stream.isTTY);
  const print = (text: string): void => void stream.write(`${text}\n`);
  if (error instanceof DocumentError) {
    for (const diagnostic of error.diagnostics) {
      print(renderDiagnostic(diagnostic, error.source, { color: stream.isTTY }));
    }
    return 2;
  }
  if (error instanceof NothingChanged) {
    print(`cxlrig: ${error.message}`);
    return 0;
  }
  if (error instanceof UsageErrors) {
    for (const one of error.errors) explain(one, stream);
    return 2;
  }
  if (error instanceof UsageError) {
    print(`${colors.red('cxlrig:')} ${error.message}`);
    if (error.remedy) print(`  ${colors.cyan(error.remedy)}`);
    return 2;
  }
  if (error instanceof RigError) {
    print(`${colors.red(`cxlrig: ${error.stage}:`)} ${error.message}`);
    for (const line of error.evidence) print(`  | ${line}`);
    if (error.remedy) print(`  ${colors.cyan(error.remedy)}`);
    return 3;
  }
  if (error instanceof Error && error.name === 'AbortError') {
    print('cxlrig: interrupted');
    return INTERRUPTED;
  }
  print(
    `${colors.red('cxlrig: this is a bug of cxlrig:')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return 3;
}
