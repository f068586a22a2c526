import { posix } from 'node:path';
import * as v from 'valibot';
import { assertPlainFileName, isPlainFileName } from './file-names.js';
import { isObject, parseJson } from './json.js';
import { invalidFolder, quote, unsupportedModel } from './refusal.js';

/** Name of the manifest in every model folder. */
export const MANIFEST_FILE = 'foretoken.json';
/** Most bytes of the manifest. */
export const MANIFEST_BYTES: number = 1024 ** 2;
/** Most bytes of a tokenizer file. */
export const TOKENIZER_BYTES: number = 64 * 1024 ** 2;
/** Most bytes of any file of a folder. */
export const FILE_BYTES: number = 16 * 1024 ** 3;

const FORMAT = 'foretoken-model';
const FORMAT_VERSION = 1;
const FAMILIES = ['marian'] as const;

/** Size and SHA-256 digest (hexadecimal) a file must have before anything parses it. */
export interface FileRecord {
  readonly bytes: number;
  readonly sha256: string;
}

/** Content of `foretoken.json`: what a model folder holds and how its graphs are to be driven. */
export interface ModelManifest {
  readonly format: 'foretoken-model';
  readonly formatVersion: 1;
  readonly name: string;
  readonly description: string;
  /** Licence of the weights. */
  readonly licence: string;
  /** Architecture family, which decides how the graphs are driven. */
  readonly family: 'marian';
  /** File name of the tokenizer. */
  readonly tokenizer: string;
  readonly vocabulary: {
    readonly size: number;
    readonly endTokenId: number;
    readonly startTokenId: number;
    readonly padTokenId?: number;
    readonly unknownTokenId?: number;
  };
  /** Most positions, in tokens, the end token and the start token included. */
  readonly limits: { readonly sourceLength: number; readonly targetLength: number };
  readonly architecture: {
    readonly width: number;
    readonly heads: number;
    readonly encoderLayers: number;
    readonly decoderLayers: number;
  };
  /** File names of the graphs. */
  readonly graphs: {
    readonly encoder: string;
    /** One graph for each output kind; argmax is always there. */
    readonly step: {
      readonly argmax: string;
      readonly topK?: string;
      readonly topKWithStates?: string;
      readonly logProbs?: string;
      readonly logits?: string;
    };
    readonly ctc?: string;
    /** The CTC student again, with 8-bit products: for drafting, where the output does not depend on it. */
    readonly ctcDraft?: string;
  };
  /** Goes with `graphs.step.topK` and `graphs.step.topKWithStates`. */
  readonly step?: { readonly maxCandidates: number };
  /** Goes with `graphs.ctc`. */
  readonly ctc?: { readonly blankId: number; readonly upsample: number; readonly maxCandidates: number };
  /** File name of an n-gram model of the target's outputs, for drafting. */
  readonly ngrams?: string;
  /** Every file of the model by name, this manifest apart. */
  readonly files: Readonly<Record<string, FileRecord>>;
  /** Free facts about the training. */
  readonly training?: Readonly<Record<string, unknown>>;
}

const integer = (least: number, most: number) =>
  v.pipe(
    v.number(),
    v.check(
      (value) => Number.isInteger(value) && value >= least && value <= most,
      `an integer from ${least} to ${most}`,
    ),
  );
// A manifest's words are shown in terminals, which obey control characters.
const words = (most: number) =>
  v.pipe(
    v.string(),
    v.check(
      (text) => text.length <= most && !/[\p{Cc}\p{Cf}]/u.test(text.replaceAll('\n', ' ')),
      `at most ${most} characters without control characters`,
    ),
  );
const fileName = v.pipe(
  v.string(),
  v.check(
    (name) => isPlainFileName(name),
    'a plain relative file name: letters, digits, ".", "_", "-", with "/" between folders',
  ),
);
const tokenId = integer(0, 999_999);
const candidates = integer(1, 1024);

const SCHEMA: v.GenericSchema<unknown, ModelManifest> = v.strictObject({
  format: v.literal(FORMAT),
  formatVersion: v.literal(FORMAT_VERSION),
  name: v.pipe(words(200), v.nonEmpty('a name')),
  description: words(10_000),
  licence: words(1000),
  family: v.picklist(FAMILIES),
  tokenizer: fileName,
  vocabulary: v.strictObject({
    size: integer(2, 1_000_000),
    endTokenId: tokenId,
    startTokenId: tokenId,
    padTokenId: v.exactOptional(tokenId),
    unknownTokenId: v.exactOptional(tokenId),
  }),
  limits: v.strictObject({ sourceLength: integer(1, 65_536), targetLength: integer(1, 65_536) }),
  architecture: v.strictObject({
    width: integer(1, 65_536),
    heads: integer(1, 65_536),
    encoderLayers: integer(1, 256),
    decoderLayers: integer(1, 256),
  }),
  graphs: v.strictObject({
    encoder: fileName,
    step: v.strictObject({
      argmax: fileName,
      topK: v.exactOptional(fileName),
      topKWithStates: v.exactOptional(fileName),
      logProbs: v.exactOptional(fileName),
      logits: v.exactOptional(fileName),
    }),
    ctc: v.exactOptional(fileName),
    ctcDraft: v.exactOptional(fileName),
  }),
  step: v.exactOptional(v.strictObject({ maxCandidates: candidates })),
  ctc: v.exactOptional(v.strictObject({ blankId: tokenId, upsample: integer(1, 64), maxCandidates: candidates })),
  ngrams: v.exactOptional(fileName),
  files: v.record(
    v.string(),
    v.strictObject({
      bytes: integer(0, FILE_BYTES),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in lower case')),
    }),
  ),
  training: v.exactOptional(v.record(v.string(), v.unknown())),
});

/** Reads a manifest's text. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function parseManifest(text: string, folder: string): ModelManifest {
  return checkManifest(parseJson(text, MANIFEST_FILE, { folder }), folder);
}

/** Checks a manifest's shape and that its parts agree. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function checkManifest(value: unknown, folder: string): ModelManifest {
  const refuse: Refuse = (field, received, required) => {
    throw invalidFolder(
      `${MANIFEST_FILE}: ${field} is ${quote(received)}, but it must be ${required}. Correct it, or import the model again.`,
      { folder, file: MANIFEST_FILE, field, received, required },
    );
  };
  if (!isObject(value)) return refuse('the whole file', value, 'a JSON object');
  checkRelease(value, folder, refuse);
  // Counted before anything walks them. A list would pass as an object below.
  for (const field of ['files', 'training'] as const) {
    if (value[field] !== undefined && !isObject(value[field])) refuse(field, value[field], 'an object');
  }
  if (isObject(value.files) && Object.keys(value.files).length > 1000) {
    refuse('files', Object.keys(value.files).length, 'a list of at most 1000 files');
  }
  const result = v.safeParse(SCHEMA, value, { abortEarly: true });
  if (!result.success) return refuseIssue(result.issues[0], refuse);
  const manifest = result.output;
  // The schema leaves out names such as __proto__, so the original's names are the ones to check.
  for (const name of Object.keys(value.files as object)) {
    assertPlainFileName(name, { folder, file: MANIFEST_FILE, field: 'files' });
    if (!Object.hasOwn(manifest.files, name)) refuse('files', name, 'a usable file name');
  }
  checkAgreement(manifest, refuse);
  return manifest;
}

/**
 * Throws `INVALID_MODEL_FOLDER` unless every place a graph names for its weights is a plain, listed file: such a file has
 * been verified, and nothing else may be read.
 */
export function checkExternalData(
  locations: readonly string[],
  manifest: ModelManifest,
  folder: string,
  graph: string,
): void {
  for (const location of locations) {
    const details = { folder, file: graph, field: 'external data location', received: location };
    assertPlainFileName(location, details);
    // The runtime looks beside the graph.
    const name = posix.join(posix.dirname(graph), location);
    if (!Object.hasOwn(manifest.files, name)) {
      throw invalidFolder(
        `${graph}: the graph reads its weights from ${quote(name)}, which ${MANIFEST_FILE} does not list. Import the model again.`,
        { ...details, required: 'a file listed in foretoken.json' },
      );
    }
  }
}

type Refuse = (field: string, received: unknown, required: string) => never;

/** The release and the family come first: under another one, the rest of the manifest may mean something else. */
function checkRelease(manifest: Record<string, unknown>, folder: string, refuse: Refuse): void {
  const { format, formatVersion, family } = manifest;
  if (format !== FORMAT) refuse('format', format ?? 'missing', quote(FORMAT));
  if (typeof formatVersion !== 'number' || !Number.isInteger(formatVersion) || formatVersion < 1) {
    refuse('formatVersion', formatVersion ?? 'missing', String(FORMAT_VERSION));
  }
  const upgrade = (field: string, received: unknown, required: string): never => {
    throw unsupportedModel(
      `${MANIFEST_FILE}: ${field} is ${quote(received)}, but this release knows ${required}. Upgrade @foretoken/models.`,
      { folder, file: MANIFEST_FILE, field, received, required },
    );
  };
  if (formatVersion !== FORMAT_VERSION) upgrade('formatVersion', formatVersion, `only ${FORMAT_VERSION}`);
  if (typeof family !== 'string') refuse('family', family ?? 'missing', `one of ${FAMILIES.join(', ')}`);
  if (!(FAMILIES as readonly unknown[]).includes(family)) upgrade('family', family, FAMILIES.join(', '));
}

function refuseIssue(issue: v.BaseIssue<unknown>, refuse: Refuse): never {
  const field = (issue.path ?? []).map(({ key }) => String(key)).join('.');
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return refuse(field, 'present', 'absent: this release does not know it');
  }
  const required = issue.kind === 'validation' ? issue.message : `of type ${issue.expected}`;
  return refuse(field, issue.received === 'undefined' ? 'missing' : issue.input, required);
}

function checkAgreement(manifest: ModelManifest, refuse: Refuse): void {
  const { architecture, vocabulary, graphs, step, ctc } = manifest;
  const { size } = vocabulary;
  const inVocabulary = {
    'vocabulary.endTokenId': vocabulary.endTokenId,
    'vocabulary.startTokenId': vocabulary.startTokenId,
    'vocabulary.padTokenId': vocabulary.padTokenId,
    'vocabulary.unknownTokenId': vocabulary.unknownTokenId,
    'ctc.blankId': ctc?.blankId,
  };
  for (const [field, id] of Object.entries(inVocabulary)) {
    if (id !== undefined && id >= size) refuse(field, id, `inside the vocabulary, below ${size}`);
  }
  for (const [field, count] of [
    ['step.maxCandidates', step?.maxCandidates],
    ['ctc.maxCandidates', ctc?.maxCandidates],
  ] as const) {
    if (count !== undefined && count > size) refuse(field, count, `at most the vocabulary size, ${size}`);
  }
  if (architecture.width % architecture.heads !== 0) {
    refuse('architecture.heads', architecture.heads, `a divisor of the width, ${architecture.width}`);
  }
  if ((graphs.ctc === undefined) !== (ctc === undefined)) {
    const [absent, present] = ctc === undefined ? ['ctc', 'graphs.ctc'] : ['graphs.ctc', 'ctc'];
    refuse(absent, 'missing', `given together with ${present}`);
  }
  if (graphs.ctcDraft !== undefined && graphs.ctc === undefined) {
    refuse('graphs.ctc', 'missing', 'given together with graphs.ctcDraft');
  }
  if ((graphs.step.topK ?? graphs.step.topKWithStates) !== undefined && step === undefined) {
    refuse('step', 'missing', 'given together with graphs.step.topK or graphs.step.topKWithStates');
  }
  const named = {
    tokenizer: manifest.tokenizer,
    'graphs.encoder': graphs.encoder,
    ...Object.fromEntries(Object.entries(graphs.step).map(([kind, file]) => [`graphs.step.${kind}`, file])),
    ...(graphs.ctc === undefined ? {} : { 'graphs.ctc': graphs.ctc }),
    ...(graphs.ctcDraft === undefined ? {} : { 'graphs.ctcDraft': graphs.ctcDraft }),
    ...(manifest.ngrams === undefined ? {} : { ngrams: manifest.ngrams }),
  };
  for (const [field, file] of Object.entries(named)) {
    if (!Object.hasOwn(manifest.files, file)) refuse(field, file, 'a file listed in files');
  }
  const tokenizer = manifest.files[manifest.tokenizer] as FileRecord;
  if (tokenizer.bytes > TOKENIZER_BYTES) {
    refuse(`files.${manifest.tokenizer}.bytes`, tokenizer.bytes, `at most ${TOKENIZER_BYTES} for a tokenizer`);
  }
}
