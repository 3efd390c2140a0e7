import { Document, isMap, isScalar, isSeq, visit, type YAMLMap } from 'yaml';

const WIDTH = 110;

/** YAML as people write it: small things stand on one line, `{ path: ..., value: ... }`. */
export function yamlText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, node) {
      node.flow = node.items.every((item) => isScalar(item));
      for (const item of node.items) if (isMap(item) && isSmall(item)) item.flow = true;
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
