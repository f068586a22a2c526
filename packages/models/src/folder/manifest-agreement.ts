import {
  type FileRecord,
  type FillGraphFiles,
  GRAPH_BYTES,
  type MarianManifest,
  type ModelManifest,
  TOKENIZER_BYTES,
} from './manifest.js';

/** Refuses a field of the manifest: what it is, and what it must be. */
export type Refuse = (field: string, received: unknown, required: string) => never;

/** Parts of a manifest that must agree, by their field names; a part that is not there is undefined. */
interface Claims {
  readonly tokenIds: Readonly<Record<string, number | undefined>>;
  readonly candidates: Readonly<Record<string, number | undefined>>;
  readonly graphs: Readonly<Record<string, string | undefined>>;
  /** Other files. */
  readonly others: Readonly<Record<string, string | undefined>>;
}

/** Refuses a well-formed manifest whose parts contradict one another. */
export function checkAgreement(manifest: ModelManifest, refuse: Refuse): void {
  const { architecture, vocabulary, files } = manifest;
  const claims = manifest.family === 'marian' ? marianClaims(manifest) : maskedLanguageModelClaims(manifest);
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
  if (architecture.width % architecture.heads !== 0) {
    refuse('architecture.heads', architecture.heads, `a divisor of the width, ${architecture.width}`);
  }
  if (manifest.family === 'marian') {
    checkPairs(manifest, refuse);
    checkBoundaries(manifest, refuse);
  } else if (manifest.canvas.maskTokenId === vocabulary.endTokenId) {
    refuse('canvas.maskTokenId', manifest.canvas.maskTokenId, 'another token than the end token');
  }
  for (const [field, file] of Object.entries({ tokenizer: manifest.tokenizer, ...claims.graphs, ...claims.others })) {
    if (file !== undefined && !Object.hasOwn(files, file)) refuse(field, file, 'a file listed in files');
  }
  for (const [field, file] of Object.entries(claims.graphs)) {
    if (file === undefined) continue;
    // By such a name ONNX Runtime takes a file for another format than the one that is checked here.
    if (/\.ort$/i.test(file)) refuse(field, file, 'an ONNX graph, whose name does not end in .ort');
    const { bytes } = files[file] as FileRecord;
    if (bytes > GRAPH_BYTES) refuse(`files.${file}.bytes`, bytes, `at most ${GRAPH_BYTES} for a graph`);
  }
  const tokenizer = files[manifest.tokenizer] as FileRecord;
  if (tokenizer.bytes > TOKENIZER_BYTES) {
    refuse(`files.${manifest.tokenizer}.bytes`, tokenizer.bytes, `at most ${TOKENIZER_BYTES} for a tokenizer`);
  }
}

function marianClaims({ vocabulary, graphs, step, ctc, canvas, dag, edit, ngrams, shortlist }: MarianManifest): Claims {
  return {
    tokenIds: {
      'vocabulary.startTokenId': vocabulary.startTokenId,
      'ctc.blankId': ctc?.blankId,
      'canvas.maskTokenId': canvas?.maskTokenId,
      'dag.startTokenId': dag?.startTokenId,
      'edit.placeholderTokenId': edit?.placeholderTokenId,
      'edit.startTokenId': edit?.startTokenId,
    },
    candidates: {
      'step.maxCandidates': step?.maxCandidates,
      'ctc.maxCandidates': ctc?.maxCandidates,
      'canvas.maxCandidates': canvas?.maxCandidates,
      'dag.maxCandidates': dag?.maxCandidates,
      'edit.maxCandidates': edit?.maxCandidates,
    },
    graphs: {
      'graphs.encoder': graphs.encoder,
      ...prefixed('graphs.step', graphs.step),
      'graphs.ctc': graphs.ctc,
      'graphs.ctcDraft': graphs.ctcDraft,
      'graphs.ctcFast': graphs.ctcFast,
      'graphs.canvas.open': graphs.canvas?.open,
      'graphs.canvas.openDrafts': graphs.canvas?.openDrafts,
      ...prefixed('graphs.canvas.fill', graphs.canvas?.fill),
      'graphs.dag': graphs.dag,
      'graphs.edit.open': graphs.edit?.open,
      'graphs.edit.openDrafts': graphs.edit?.openDrafts,
      'graphs.edit.deletions': graphs.edit?.deletions,
      'graphs.edit.placeholders': graphs.edit?.placeholders,
      ...prefixed('graphs.edit.fill', graphs.edit?.fill),
    },
    others: { ngrams, shortlist },
  };
}

function maskedLanguageModelClaims(manifest: Extract<ModelManifest, { family: 'masked-lm' }>): Claims {
  const { canvas, graphs } = manifest;
  return {
    tokenIds: { 'canvas.maskTokenId': canvas.maskTokenId },
    candidates: { 'canvas.maxCandidates': canvas.maxCandidates },
    graphs: prefixed('graphs.fill', graphs.fill),
    others: {},
  };
}

/** A graph without the facts needed to drive it, or facts without their graph. */
function checkPairs(manifest: MarianManifest, refuse: Refuse): void {
  const { graphs, step, ctc, canvas, dag, edit } = manifest;
  for (const [name, graph, facts] of [
    ['ctc', graphs.ctc, ctc],
    ['canvas', graphs.canvas, canvas],
    ['dag', graphs.dag, dag],
    ['edit', graphs.edit, edit],
  ] as const) {
    if ((graph === undefined) === (facts === undefined)) continue;
    const [absent, present] = facts === undefined ? [name, `graphs.${name}`] : [`graphs.${name}`, name];
    refuse(absent, 'missing', `given together with ${present}`);
  }
  for (const name of ['canvas', 'edit'] as const) {
    if (graphs[name]?.openDrafts !== undefined && ctc === undefined) {
      refuse('ctc', 'missing', `given together with graphs.${name}.openDrafts`);
    }
  }
  for (const other of ['ctcDraft', 'ctcFast'] as const) {
    if (graphs[other] !== undefined && graphs.ctc === undefined) {
      refuse('graphs.ctc', 'missing', `given together with graphs.${other}`);
    }
  }
  if (manifest.shortlist !== undefined && graphs.ctcDraft === undefined) {
    refuse('graphs.ctcDraft', 'missing', 'given together with shortlist');
  }
  if ((graphs.step.topK ?? graphs.step.topKWithStates) !== undefined && step === undefined) {
    refuse('step', 'missing', 'given together with graphs.step.topK or graphs.step.topKWithStates');
  }
}

/** A canvas whose mask, start and end are the same token could not be read. */
function checkBoundaries({ vocabulary, canvas, dag, edit }: MarianManifest, refuse: Refuse): void {
  const { endTokenId } = vocabulary;
  for (const [field, id] of [
    ['canvas.maskTokenId', canvas?.maskTokenId],
    ['dag.startTokenId', dag?.startTokenId],
    ['edit.placeholderTokenId', edit?.placeholderTokenId],
    ['edit.startTokenId', edit?.startTokenId],
  ] as const) {
    if (id === endTokenId) refuse(field, id, 'another token than the end token');
  }
  if (edit !== undefined && edit.startTokenId === edit.placeholderTokenId) {
    refuse('edit.startTokenId', edit.startTokenId, 'another token than the placeholder');
  }
}

function prefixed(
  prefix: string,
  files: Readonly<Record<string, string | undefined>> | FillGraphFiles | undefined,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(files ?? {}).map(([kind, file]) => [`${prefix}.${kind}`, file]));
}
