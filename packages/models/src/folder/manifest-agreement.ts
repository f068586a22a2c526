import { isObject } from './json.js';
import { GRAPH_BYTES, type ModelManifest, TOKENIZER_BYTES } from './manifest.js';

/** Refuses a field of the manifest: what it is, and what it must be. */
export type Refuse = (field: string, received: unknown, required: string) => never;

/** Parts of a manifest that must agree, by their field names; a part that is not there is undefined. */
export interface ManifestClaims {
  readonly tokenIds: Readonly<Record<string, number | undefined>>;
  readonly candidates: Readonly<Record<string, number | undefined>>;
  readonly graphs: Readonly<Record<string, string | undefined>>;
  /** Other files. */
  readonly others: Readonly<Record<string, string | undefined>>;
}

/** Refuses a well-formed manifest whose parts contradict one another. */
export function checkAgreement(manifest: ModelManifest, claims: ManifestClaims, refuse: Refuse): void {
  const { vocabulary, files } = manifest;
  const { size } = vocabulary;
  const tokenIds = {
    'vocabulary.endTokenId': vocabulary.endTokenId,
    'vocabulary.padTokenId': vocabulary.padTokenId,
    'vocabulary.unknownTokenId': vocabulary.unknownTokenId,
    ...claims.tokenIds,
  };
  for (const [field, id] of Object.entries(tokenIds)) {
    if (id !== undefined && id >= size) refuse(field, id, `inside the vocabulary, below ${size}`);
  }
  for (const [field, count] of Object.entries(claims.candidates)) {
    if (count !== undefined && count > size) refuse(field, count, `at most the vocabulary size, ${size}`);
  }
  const { tokenizer } = manifest;
  const tokenizers =
    typeof tokenizer === 'string'
      ? { tokenizer }
      : Object.fromEntries(
          Object.entries(tokenizer ?? {}).map(([part, file]) => [`tokenizer.${part}`, file as string]),
        );
  for (const [field, file] of Object.entries({ ...tokenizers, ...claims.graphs, ...claims.others })) {
    if (file !== undefined && !Object.hasOwn(files, file)) refuse(field, file, 'a file listed in files');
  }
  for (const file of Object.values(claims.graphs)) {
    if (file === undefined) continue;
    const { bytes } = files[file];
    if (bytes > GRAPH_BYTES) refuse(`files.${file}.bytes`, bytes, `at most ${GRAPH_BYTES} for a graph`);
  }
  for (const file of Object.values(tokenizers)) {
    const { bytes } = files[file];
    if (bytes > TOKENIZER_BYTES) refuse(`files.${file}.bytes`, bytes, `at most ${TOKENIZER_BYTES} for a tokenizer`);
  }
}

/** Refuses heads that do not divide the width. */
export function checkHeads({ width, heads }: { readonly width: number; readonly heads: number }, refuse: Refuse): void {
  if (width % heads !== 0) refuse('architecture.heads', heads, `a divisor of the width, ${width}`);
}

/**
 * The claims of a manifest that names its fields as usual: token ids end in `TokenId` or are a `blankId`, numbers of candidates are
 * called `maxCandidates`, and all below `graphs` are graphs. `others` are its other files.
 */
export function claimsByName(
  { files: _files, training: _training, ...manifest }: ModelManifest,
  others: ManifestClaims['others'] = {},
): ManifestClaims {
  const fields = leavesOf('', manifest);
  const named = <Value>(pattern: RegExp): Record<string, Value> =>
    // The schema has said of what type each is.
    Object.fromEntries(fields.filter(([name]) => pattern.test(name))) as Record<string, Value>;
  return {
    tokenIds: named(/(?:TokenId|blankId)$/),
    candidates: named(/\.maxCandidates$/),
    graphs: named(/^graphs\./),
    others,
  };
}

/** All values below an object that are no objects, with their names, such as `graphs.step.argmax`. */
function leavesOf(prefix: string, value: object): [name: string, value: unknown][] {
  return Object.entries(value).flatMap(([key, inner]) =>
    isObject(inner) ? leavesOf(`${prefix}${key}.`, inner) : [[`${prefix}${key}`, inner]],
  );
}
