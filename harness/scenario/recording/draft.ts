import { stringify } from 'yaml';
import { loadScenarioText } from '../load.js';
import type { StepDocument } from '../language.js';

/** A recorded session as the text of a scenario. */
export interface Draft {
  readonly topology: string;
  readonly kernel: string;
  readonly steps: readonly StepDocument[];
  /** how the session ended, when not by the person's own wish */
  readonly ending?: string;
}

/**
 * @param file where it is going to be, for a topology that is named by a path
 * @throws DocumentError when it is no valid scenario: a bug of the recorder
 */
export async function draftText(draft: Draft, file: string): Promise<string> {
  const { topology, kernel, steps, ending } = draft;
  const document = {
    cxlrig: 1,
    name: 'Say here what must be so',
    description: `Recorded in a shell on kernel ${kernel}. Say here why it must be so, and keep of the expectations what matters.\n${ending === undefined ? '' : `${ending}\n`}`,
    topology,
    steps,
    'leaves-no-trace': false,
  };
  const text = stringify(document, { lineWidth: 110, aliasDuplicateObjects: false });
  await loadScenarioText(text, file);
  return text;
}
