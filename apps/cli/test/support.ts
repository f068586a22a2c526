import { Readable, Writable } from 'node:stream';
import {
  type AutoregressiveModel,
  type ForestOptions,
  ForetokenError,
  type LatticeModel,
  type TokenForest,
  type TokenSource,
} from '@foretoken/core';
import {
  familyOf,
  type LoadedModel,
  type MarianManifest,
  ModelParts,
  type OpenedPart,
  type PartModels,
  type TextTokenizer,
  textProcessor,
} from '@foretoken/models';
import { holdsWeights } from '@foretoken/models/internal';
import type { Installation } from '../src/doctor/installation.js';
import { run } from '../src/run.js';
import type { Services } from '../src/services.js';
import { GERMAN, START, VOCABULARY, wordForest, wordLattice } from './word-models.js';

const ENGLISH = ['<pad>', '<unk>', '</s>', '<start>', 'a', 'dog', 'runs', 'on', 'grass', 'man', 'sits'];
const SOURCE_LENGTH = 12;

export const MANIFEST: MarianManifest = {
  format: 'foretoken-model',
  formatVersion: 1,
  name: 'word-for-word',
  description: 'Translates word for word.',
  licence: 'CC0-1.0',
  family: 'marian',
  tokenizer: 'tokenizer.json',
  vocabulary: { ...VOCABULARY, startTokenId: START },
  limits: { sourceLength: SOURCE_LENGTH, targetLength: 20 },
  architecture: { width: 8, heads: 2, encoderLayers: 1, decoderLayers: 1 },
  graphs: { encoder: 'encoder.onnx', step: { argmax: 'step.onnx', topK: 'step-top-k.onnx' }, ctc: 'ctc.onnx' },
  step: { maxCandidates: 4 },
  ctc: { blankId: 0, upsample: 2, maxCandidates: 4 },
  files: {
    'encoder.onnx': { bytes: 1500, sha256: 'a'.repeat(64) },
    'step.onnx': { bytes: 2_500_000, sha256: 'b'.repeat(64) },
  },
  training: { data: 'none', bleu: 38.5 },
};

const DESCRIPTION = (await familyOf(MANIFEST)).describe(MANIFEST);

/** What a fake folder holds. */
export interface FakeParts extends Partial<Omit<PartModels, 'lattice'>> {
  readonly ctc?: PartModels['lattice'];
  readonly dag?: PartModels['lattice'];
}

/** Counts what is open, so that a test can see that everything was released. */
export interface FakeModel extends LoadedModel {
  readonly open: { forests: number; models: number };
  readonly held: FakeParts;
}

/** The model with these parts in place of its own of their kinds; `undefined` takes one away. */
export function withParts<Model extends LoadedModel>(
  model: Model & { readonly held?: FakeParts },
  more: { readonly [Name in keyof FakeParts]: FakeParts[Name] | undefined },
): Model & { readonly held: FakeParts } {
  const held = Object.fromEntries(
    Object.entries({ ...model.held, ...more }).filter(([, part]) => part !== undefined),
  ) as FakeParts;
  const opened = Object.entries(held).map(([name, part]) => {
    return { kind: name === 'ctc' || name === 'dag' ? 'lattice' : name, model: part } as OpenedPart;
  });
  const parts = new ModelParts(opened, model.folder);
  return {
    ...model,
    held,
    part: (kind, which) => parts.part(kind, which),
    find: (kind, which) => parts.find(kind, which),
    speculation: () => parts.speculation(),
  };
}

export interface FakeModelOptions {
  readonly lattice?: boolean;
  /** Rows of one forest. */
  readonly rows?: number;
  /** Called before every forward of the target. */
  readonly onForward?: () => void;
  /** Called with what is to be decoded together. */
  readonly onOpen?: (rows: number) => void;
}

/** A model that translates word for word; its CTC lattice gets every third word wrong. */
export function fakeModel({
  lattice = true,
  rows = 1,
  onForward = () => {},
  onOpen = () => {},
}: FakeModelOptions = {}): FakeModel {
  const open = { forests: 0, models: 1 };
  const autoregressive: AutoregressiveModel<TokenSource> = {
    vocabulary: VOCABULARY,
    maxLength: 20,
    supports: { outputs: ['argmax'], branching: true, rollback: true, rows, maxCandidates: 0 },
    open: async (sources) => {
      open.forests++;
      onOpen(sources.length);
      return wordForest(sources, onForward, () => open.forests--);
    },
  };
  const ctc: LatticeModel<TokenSource> = {
    vocabulary: VOCABULARY,
    supports: { kind: 'ctc', maxCandidates: 1 },
    emit: async (sources) => sources.map(wordLattice),
  };
  const tokenizer: TextTokenizer = {
    encode: (text, use) => {
      const words = text.split(' ');
      if (words.length >= SOURCE_LENGTH) {
        throw new ForetokenError('SOURCE_TOO_LONG', `The source has ${words.length + 1} tokens.`, {
          received: words.length + 1,
          max: SOURCE_LENGTH,
        });
      }
      const ids = words.map((word) => ENGLISH.indexOf(word)).map((id) => (id < 0 ? 1 : id));
      return Int32Array.from(use === 'output' ? ids : [...ids, VOCABULARY.endTokenId]);
    },
    decode: (tokenIds) =>
      Array.from(tokenIds)
        .map((id) => GERMAN[id])
        .join(' '),
    tokenText: (id) => GERMAN[id],
    countUnknown: (tokenIds) => Array.from(tokenIds).filter((id) => id === VOCABULARY.unknownTokenId).length,
  };
  const fake: Omit<FakeModel, 'held'> = {
    ...NO_TEXT,
    open,
    folder: '/models/word-for-word',
    manifest: MANIFEST,
    description: DESCRIPTION,
    threads: 1,
    timings: { runs: 0, milliseconds: 0, reset: () => {} },
    processor: textProcessor(tokenizer),
    tokenizer,
    [Symbol.asyncDispose]: async () => {
      open.models--;
    },
  };
  return withParts(fake, { autoregressive, ctc: lattice ? ctc : undefined });
}

/** A model of 4,096 tokens that never says the end, and how many forwards it ran. */
export function endlessModel(): FakeModel & { readonly forwards: () => number } {
  let forwards = 0;
  const fake = fakeModel({ lattice: false, onForward: () => forwards++ });
  const { autoregressive } = fake.held;
  const open = async (sources: readonly TokenSource[], options?: ForestOptions): Promise<TokenForest> => {
    // The same word again and again, in place of the end.
    return autoregressive!.open(
      sources.map(() => new Int32Array(4096).fill(4)),
      options,
    );
  };
  return {
    ...withParts(fake, { autoregressive: { ...autoregressive!, maxLength: 4096, open } }),
    forwards: () => forwards,
  };
}

/** The command line decodes token ids; parts are added last. */
const NO_TEXT = {} as Pick<LoadedModel, 'decode' | 'stream' | 'speculation' | 'dispose' | 'part' | 'find'>;

class MemoryOutput extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number | undefined;

  constructor(isTTY: boolean, columns: number | undefined) {
    super();
    this.isTTY = isTTY;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** A machine on which nothing is missing. */
export const INSTALLATION: Installation = {
  node: 'v22.13.0',
  platform: 'linux',
  arch: 'x64',
  glibc: '2.36',
  processor: 'Fake Processor',
  cores: 2,
  allCores: 4,
  features: ['avx2', 'fma'],
  memoryBytes: 8e9,
  runtime: { version: '9.9.9' },
  backends: ['cpu'],
  models: { translation: { version: '1.0.0' }, correction: { version: '1.0.0' } },
};

export interface Surroundings {
  /** Columns of the terminals. */
  readonly columns?: number;
  /** What is piped in; without it standard input is a terminal. */
  readonly stdin?: string | Readable | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdoutIsTerminal?: boolean;
  readonly stderrIsTerminal?: boolean;
  readonly signal?: AbortSignal;
  readonly model?: LoadedModel;
  readonly services?: Partial<Services>;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process against a fake model. */
export async function cli(argv: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  const stdout = new MemoryOutput(surroundings.stdoutIsTerminal ?? false, surroundings.columns);
  const stderr = new MemoryOutput(surroundings.stderrIsTerminal ?? false, surroundings.columns);
  const { stdin } = surroundings;
  const input = typeof stdin === 'string' ? Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]) : stdin;
  const services: Services = {
    loadModel: async () => surroundings.model ?? fakeModel(),
    importModel: async () => MANIFEST,
    importCtcModel: async () => MANIFEST,
    holdsWeights,
    inspectWeights: () => Promise.reject(new ForetokenError('INVALID_MODEL_FOLDER', 'No weights.')),
    openModelFolder: () => Promise.reject(new Error('no folder was expected')),
    improvedGraphs: async () => undefined,
    describeModel: async (manifest) => (await familyOf(manifest)).describe(manifest),
    defaultModelFolder: () => '/models/default',
    correctionModelFolder: () => '/models/correction',
    canCorrect: () => false,
    version: () => '1.2.3',
    runtime: () => 'fake-runtime 9.9.9',
    cores: () => 8,
    inspectInstallation: async () => INSTALLATION,
    // Nothing takes time.
    now: () => 0,
    // Frames follow each other at once; patience with a pipe never ends but by the signal.
    sleep: async (milliseconds, signal) => {
      if (milliseconds >= 1000)
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      signal.throwIfAborted();
    },
    ...surroundings.services,
  };
  const code = await run(
    argv,
    {
      stdin: input ?? Object.assign(Readable.from([]), { isTTY: true }),
      stdout,
      stderr,
      env: surroundings.env ?? {},
      signal: surroundings.signal ?? new AbortController().signal,
    },
    services,
  );
  return { code, stdout: stdout.text, stderr: stderr.text };
}
