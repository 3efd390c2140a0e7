import { yamlText } from '../../base/document/yaml-text.js';
import { loadScenarioText } from '../load/load.js';
import type { StepDocument } from '../language/language.js';

/** What a draft scenario is made of; its author gives it a name and says why it must be so. */
export interface Draft {
  readonly topology: string;
  /** where its steps come from, and what is left to do */
  readonly description: string;
  readonly steps: readonly StepDocument[];
}

/**
 * @param file where it is going to be, for a topology that is named by a path
 * @throws DocumentError when it is no valid scenario: a bug of whoever wrote its steps
 */
export async function draftText(draft: Draft, file: string): Promise<string> {
  const { topology, description, steps } = draft;
  const document = {
    cxlrig: 1,
    name: 'Say here what must be so',
    description,
    topology,
    'leaves-no-trace': false,
    steps,
  };
  const text = yamlText(document);
  await loadScenarioText(text, file);
  return text;
}
