import {
  type Canvas,
  type CanvasModel,
  type CanvasPrediction,
  type CanvasSession,
  type CanvasSupport,
  ForetokenError,
  type LengthPrediction,
  type OutputRequest,
  type SourceEncoder,
  type TokenSource,
} from '@foretoken/core';
import {
  anything,
  assertOffered,
  assertTokenSources,
  callback,
  canvasOptions,
  checkOptions,
  fields,
  flag,
  integer,
  listOf,
  type OptionTable,
  oneOf,
  withMethods,
} from '@foretoken/core/kit';
import { RANDOM_LOGITS_OPTIONS, randomLogits } from './random-logits.js';
import { logSoftmax, ranked, scoresAs, vocabularyOf } from './scripted-scores.js';

/**
 * A pure function of the source, the canvas as it stands (mask token ids where undecided) and a position: unnormalised
 * scores of the token there, `[vocab]`; `-Infinity` rules a token out.
 */
export type CanvasScore = (source: TokenSource, canvas: Int32Array, position: number) => ArrayLike<number>;

/** What a scripted canvas model is made of. */
export interface ScriptedCanvasOptions {
  readonly vocabularySize: number;
  /** Default 0; -1 where no token ends outputs. */
  readonly endTokenId?: number | undefined;
  /** Default: the last token id. */
  readonly maskTokenId?: number | undefined;
  /** Scores of every token at each position. */
  readonly score: CanvasScore;
  /** Unnormalised scores of the output lengths 0, 1, ..., `[lengths]`; without it the model predicts no lengths. */
  readonly lengths?: ((source: TokenSource) => ArrayLike<number>) | undefined;
  /** Most positions of a canvas; default 64. */
  readonly maxLength?: number | undefined;
  /** Narrows what the model offers; what it does not offer it refuses. */
  readonly supports?: Partial<CanvasSupport> | undefined;
  /** An encoder to name, for tests of shared encodings. */
  readonly encoder?: SourceEncoder<TokenSource> | undefined;
  /** Throws `error` instead of running the n-th call of `fill`, counted from 1. */
  readonly failAt?: number | undefined;
  /** What is thrown where the model is told to fail. */
  readonly error?: unknown;
}

/** What was done with a scripted canvas model: `rows` counts its sources, `canvases` are those that were filled, `output` is what was asked for. */
export type CanvasCall =
  | { readonly call: 'open'; readonly rows: number }
  | { readonly call: 'predict-lengths'; readonly k: number }
  | { readonly call: 'fill'; readonly canvases: readonly Canvas[]; readonly output: OutputRequest }
  | { readonly call: 'dispose' };

/** A canvas model that writes down everything done with it. */
export interface ScriptedCanvasModel extends CanvasModel<TokenSource> {
  /** Every call, in its order. */
  readonly calls: readonly CanvasCall[];
  /** Calls of `fill`. */
  readonly forwards: number;
  /** Sessions that were opened and not yet disposed of. */
  readonly stillOpen: number;
}

const OPTIONS: OptionTable<ScriptedCanvasOptions> = {
  vocabularySize: integer(1),
  endTokenId: integer(-1),
  maskTokenId: integer(-1),
  score: callback<CanvasScore>(anything),
  lengths: callback<NonNullable<ScriptedCanvasOptions['lengths']>>(anything),
  maxLength: integer(1),
  supports: fields<Partial<CanvasSupport>>({
    outputs: listOf(oneOf('argmax', 'topK', 'logProbs', 'logits')),
    lengths: flag,
    maxCandidates: integer(0),
  }),
  encoder: withMethods('an encoder', 'encode'),
  failAt: integer(1),
  error: anything,
};

const OUTPUTS = ['argmax', 'topK', 'logProbs', 'logits'] as const;

/** A canvas model that is a function, keeping the canvas contract to the letter and recording its use. */
export function scriptedCanvasModel(options: ScriptedCanvasOptions): ScriptedCanvasModel {
  options = checkOptions('scriptedCanvasModel', options, OPTIONS, ['vocabularySize', 'score']);
  const { vocabularySize, endTokenId = 0, maskTokenId = vocabularySize - 1, maxLength = 64, encoder } = options;
  const outputs = options.supports?.outputs ?? OUTPUTS;
  const maxCandidates = outputs.includes('topK') ? vocabularySize : 0;
  const supports = { outputs, lengths: options.lengths !== undefined, maxCandidates, ...options.supports };
  const calls: CanvasCall[] = [];
  let open = 0;
  const record = (call: CanvasCall): void => {
    calls.push(call);
    if (call.call === 'open') open++;
    else if (call.call === 'dispose') open--;
  };
  return {
    vocabulary: vocabularyOf(vocabularySize, endTokenId),
    maskTokenId,
    maxLength,
    supports,
    encoder,
    calls,
    get forwards() {
      return calls.filter(({ call }) => call === 'fill').length;
    },
    get stillOpen() {
      return open;
    },
    async open(sources, given) {
      const { hints } = canvasOptions(given);
      if (hints !== undefined) throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'This model reads no hints.');
      assertTokenSources(sources);
      record({ call: 'open', rows: sources.length });
      return new ScriptedCanvasSession(sources, { ...options, maxLength }, supports, record);
    },
  };
}

/** What random, repeatable scores of canvases are like. */
export interface RandomCanvasScoreOptions {
  readonly seed: number;
  readonly vocabularySize: number;
  /** Tokens the model never predicts; default the last token id, which is the default mask. */
  readonly never?: readonly number[] | undefined;
  /** Spread of the scores; the larger, the surer the model (default 3). */
  readonly sharpness?: number | undefined;
}

const RANDOM_OPTIONS: OptionTable<RandomCanvasScoreOptions> = {
  seed: RANDOM_LOGITS_OPTIONS.seed,
  vocabularySize: RANDOM_LOGITS_OPTIONS.vocabularySize,
  never: listOf(integer(0)),
  sharpness: RANDOM_LOGITS_OPTIONS.sharpness,
};

/** Random, repeatable scores that depend on the source, on every token of the canvas and on the position. */
export function randomCanvasScore(options: RandomCanvasScoreOptions): CanvasScore {
  const { never, ...given } = checkOptions('randomCanvasScore', options, RANDOM_OPTIONS, ['seed', 'vocabularySize']);
  const ruledOut = never ?? [given.vocabularySize - 1];
  const score = randomLogits({ ...given, endTokenId: -1 });
  return (source, canvas, position) => {
    const scores = Float32Array.from(score(source, [position, ...canvas]));
    for (const tokenId of ruledOut) scores[tokenId] = Number.NEGATIVE_INFINITY;
    return scores;
  };
}

class ScriptedCanvasSession implements CanvasSession {
  readonly #sources: readonly TokenSource[];
  readonly #options: ScriptedCanvasOptions & { readonly maxLength: number };
  readonly #supports: CanvasSupport;
  readonly #record: (call: CanvasCall) => void;
  #fills = 0;
  #disposed = false;

  constructor(
    sources: readonly TokenSource[],
    options: ScriptedCanvasOptions & { readonly maxLength: number },
    supports: CanvasSupport,
    record: (call: CanvasCall) => void,
  ) {
    this.#sources = sources;
    this.#options = options;
    this.#supports = supports;
    this.#record = record;
  }

  async predictLengths(k: number, signal?: AbortSignal): Promise<LengthPrediction[]> {
    this.#check(signal);
    const { lengths: score } = this.#options;
    if (!this.#supports.lengths || score === undefined) {
      throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'This model predicts no lengths.');
    }
    if (!Number.isInteger(k) || k < 1) {
      throw new ForetokenError('INVALID_ARGUMENT', `k must be a positive integer, but was ${k}.`, { received: k });
    }
    this.#record({ call: 'predict-lengths', k });
    return this.#sources.map((source, row): LengthPrediction => {
      const logProbs = logSoftmax(score(source));
      const best = ranked(logProbs).filter((length) => logProbs[length] !== Number.NEGATIVE_INFINITY);
      const lengths = Int32Array.from(best.slice(0, k));
      return { row, lengths, logProbs: Float32Array.from(lengths, (length) => logProbs[length]) };
    });
  }

  fill<Output extends OutputRequest>(
    canvases: readonly Canvas[],
    output: Output,
    signal?: AbortSignal,
  ): Promise<CanvasPrediction<Output>[]>;
  async fill(canvases: readonly Canvas[], output: OutputRequest, signal?: AbortSignal): Promise<CanvasPrediction[]> {
    this.#check(signal);
    const { failAt, error = new Error('The scripted model failed.'), score, vocabularySize } = this.#options;
    assertOffered(this.#supports, output);
    if (canvases.length === 0) throw new ForetokenError('INVALID_ARGUMENT', 'fill was called without canvases.');
    for (const canvas of canvases) this.#checkCanvas(canvas);
    // Copies: the caller may go on writing into its canvases, and the record must show them as they were.
    const seen = canvases.map(({ row, tokenIds }): Canvas => ({ row, tokenIds: tokenIds.slice() }));
    this.#record({ call: 'fill', canvases: seen, output });
    if (++this.#fills === failAt) throw error;
    return seen.map(({ row, tokenIds }) => {
      const logits = Array.from(tokenIds, (_, position) => {
        const scores = score(this.#sources[row], tokenIds.slice(), position);
        if (scores.length !== vocabularySize) throw new RangeError(`score gave ${scores.length} values`);
        return Float32Array.from(scores);
      });
      return { row, ...scoresAs(output, logits) };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#disposed) this.#record({ call: 'dispose' });
    this.#disposed = true;
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#disposed) throw new ForetokenError('DISPOSED', 'The session was disposed of.');
    signal?.throwIfAborted();
  }

  #checkCanvas({ row, tokenIds }: Canvas): void {
    const { maxLength, vocabularySize } = this.#options;
    if (this.#sources[row] === undefined) {
      throw new ForetokenError('INVALID_ARGUMENT', `There is no row ${row}.`, { row });
    }
    if (tokenIds.length > maxLength) {
      const message = `A canvas holds at most ${maxLength} positions, not ${tokenIds.length}.`;
      throw new ForetokenError('LENGTH_LIMIT', message, { received: tokenIds.length, max: maxLength });
    }
    const wrong = tokenIds.find((tokenId) => tokenId < 0 || tokenId >= vocabularySize);
    if (wrong !== undefined) throw new ForetokenError('INVALID_ARGUMENT', `There is no token ${wrong}.`, { row });
  }
}
