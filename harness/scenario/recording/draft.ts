import { Document, isMap, isScalar, isSeq, visit, type YAMLMap } from 'yaml';
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
  const text = asPeopleWriteIt(document);
  await loadScenarioText(text, file);
  return text;
}

const WIDTH = 110;

/** Small things stand on one line, `{ path: ..., value: ... }`, as in the scenarios that people write. */
function asPeopleWriteIt(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, node) {
      node.flow = node.items.every((item) => isScalar(item));
    },
    Pair(_, { value: body }) {
      if (isMap(body) && isSmall(body)) body.flow = true;
    },
  });
  return document.toString({ lineWidth: WIDTH, flowCollectionPadding: true, singleQuote: true });
}

function isSmall(map: YAMLMap): boolean {
  const isFlat = map.items.every(
    ({ value }) => isScalar(value) || (isSeq(value) && value.items.every((item) => isScalar(item))),
  );
  const text = JSON.stringify(map.toJSON());
  return isFlat && text.length < WIDTH - 20 && !text.includes('\\n');
}
