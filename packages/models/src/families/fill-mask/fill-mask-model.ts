import {
  type Canvas,
  type CanvasModel,
  type CanvasOpenOptions,
  type CanvasPrediction,
  type CanvasSession,
  type CanvasSupport,
  ForetokenError,
  type LengthPrediction,
  type OutputRequest,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import {
  assertInteger,
  assertOffered,
  assertTokenSources,
  canvasOptions,
  forwardParts,
  maxScoredCells,
  refuseEncoding,
  throwIfAborted,
} from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { paddedTokens } from '../../drivers/common-feeds.js';
import { groupsByLength } from '../../drivers/length-groups.js';
import { STEP_MODES } from '../../drivers/step-modes.js';
import { placedInSource } from '../../drivers/unplaced-tokens.js';
import { assertCanvases, assertText } from './canvas-checks.js';
import { countMasks, type FilledText, fillText } from './masked-text.js';

export interface FillMaskModelOptions {
  readonly runtime: OnnxRuntime;
  /** Gives the graph, opening it on first use. */
  readonly session: () => Promise<GraphSession>;
  readonly vocabulary: Vocabulary;
  readonly maskTokenId: number;
  /** A token that takes no position from those behind it. */
  readonly unplacedTokenId?: number | undefined;
  readonly maxLength: number;
  readonly maxCandidates: number;
}

/**
 * A masked language model (Devlin et al., 2019): a source is a text with masks in it, a canvas what stands at the masks, in their
 * order. A canvas that is longer than the text has masks goes on at the last of them.
 */
export class FillMaskModel implements CanvasModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly maskTokenId: number;
  /** Positions of a whole text. */
  readonly maxLength: number;
  readonly supports: CanvasSupport;
  readonly #options: FillMaskModelOptions;

  constructor(options: FillMaskModelOptions) {
    const { vocabulary, maskTokenId, maxLength, maxCandidates } = options;
    this.#options = options;
    this.vocabulary = vocabulary;
    this.maskTokenId = maskTokenId;
    this.maxLength = maxLength;
    this.supports = { outputs: STEP_MODES, lengths: true, maxCandidates };
  }

  /** Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY` for hints. */
  async open(sources: readonly TokenSource[], given?: CanvasOpenOptions): Promise<CanvasSession> {
    const options = canvasOptions(given);
    if (options.hints !== undefined) {
      throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'This model reads no hints. Leave the option hints out.', {
        capability: 'hints',
      });
    }
    const { vocabulary, maxLength, maskTokenId } = this.#options;
    assertTokenSources(sources, { vocabularySize: vocabulary.size, max: maxLength });
    refuseEncoding(options);
    for (const [row, source] of sources.entries()) {
      if (!source.includes(maskTokenId)) {
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `Source ${row} has no mask, token ${maskTokenId}, so there is nothing to fill.`,
          { row, tokenId: maskTokenId },
        );
      }
    }
    return new FillMaskSession(
      this.#options,
      sources.map((source) => source.slice()),
    );
  }
}

class FillMaskSession implements CanvasSession {
  readonly #model: FillMaskModelOptions;
  readonly #sources: readonly TokenSource[];
  #disposed = false;

  constructor(model: FillMaskModelOptions, sources: readonly TokenSource[]) {
    this.#model = model;
    this.#sources = sources;
  }

  /** There is one length for each text: as many tokens as it has masks. */
  async predictLengths(k: number, signal?: AbortSignal): Promise<LengthPrediction[]> {
    this.#check(signal);
    assertInteger('k', k, 1, Number.MAX_SAFE_INTEGER);
    return this.#sources.map((source, row) => ({
      row,
      lengths: Int32Array.of(countMasks(source, this.#model.maskTokenId)),
      logProbs: Float32Array.of(0),
    }));
  }

  fill<Output extends OutputRequest>(
    canvases: readonly Canvas[],
    output: Output,
    signal?: AbortSignal,
  ): Promise<CanvasPrediction<Output>[]>;
  async fill(canvases: readonly Canvas[], output: OutputRequest, signal?: AbortSignal): Promise<CanvasPrediction[]> {
    this.#check(signal);
    const { maxCandidates, vocabulary } = this.#model;
    assertOffered({ outputs: STEP_MODES, maxCandidates }, output);
    assertCanvases(canvases, this.#sources.length, vocabulary.size);
    const texts = canvases.map((canvas) => this.#textOf(canvas));
    const lengths = Int32Array.from(texts, ({ tokenIds }) => tokenIds.length);
    const scoredOf = (index: number): number => texts[index].places.length;
    const parts = groupsByLength(lengths).flatMap((group) =>
      forwardParts(group, scoredOf, maxScoredCells(vocabulary.size)),
    );
    const predictions = new Array<CanvasPrediction>(canvases.length);
    for (const part of parts) {
      this.#check(signal);
      const together = part.map((index) => texts[index]);
      const scores = await this.#run(together, output);
      let begin = 0;
      for (const index of part) {
        const end = begin + scoredOf(index);
        predictions[index] = predictionOf(canvases[index].row, output, scores, begin, end);
        begin = end;
      }
    }
    return predictions;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
  }

  /** Throws `DISPOSED` or the abort reason. */
  #check(signal: AbortSignal | undefined): void {
    if (this.#disposed) throw new ForetokenError('DISPOSED', 'The canvas session was disposed of.', {});
    throwIfAborted(signal);
  }

  #textOf({ row, tokenIds }: Canvas): FilledText {
    const { maskTokenId, maxLength } = this.#model;
    const source = this.#sources[row];
    const masks = countMasks(source, maskTokenId);
    assertText(row, tokenIds.length, masks, source.length, maxLength);
    return fillText(source, maskTokenId, tokenIds);
  }

  /** What the graph says of all places of these texts, one text after the other. */
  async #run(texts: readonly FilledText[], output: OutputRequest): Promise<PlaceScores> {
    const { runtime, session, maskTokenId, unplacedTokenId } = this.#model;
    const { Tensor } = runtime;
    const time = texts.reduce((longest, { tokenIds }) => Math.max(longest, tokenIds.length), 0);
    const rows = texts.map(({ tokenIds }) => tokenIds);
    const scored = Int32Array.from(
      texts.flatMap(({ places }, row) => Array.from(places, (place) => row * time + place)),
    );
    const tokens = paddedTokens(runtime, rows, time, maskTokenId);
    const feeds: Record<string, Tensor> = {
      ...tokens,
      positions: placedInSource(runtime, tokens.token_ids, tokens.positions, unplacedTokenId),
      scored: new Tensor('int32', scored, [scored.length]),
      mode: new Tensor('int32', Int32Array.of(STEP_MODES.indexOf(output.kind)), [1]),
      k: new Tensor('int64', BigInt64Array.of(BigInt('k' in output ? output.k : 1)), [1]),
    };
    const { scores, best_token_ids: tokenIds } = await (await session()).run(feeds);
    this.#check(undefined);
    return {
      places: scored.length,
      scores: scores.data as Float32Array,
      tokenIds: tokenIds.data as Int32Array,
    };
  }
}

/** What a forward says of its places, `[places, ..]` each. */
interface PlaceScores {
  readonly places: number;
  readonly scores: Float32Array;
  /** Tokens that the scores belong to, where the kind of output chooses. */
  readonly tokenIds: Int32Array;
}

/** The places of one canvas, `begin` to `end`: views. */
function predictionOf(
  row: number,
  output: OutputRequest,
  { places, ...all }: PlaceScores,
  begin: number,
  end: number,
): CanvasPrediction {
  const cut = <Values extends Float32Array | Int32Array>(values: Values): Values => {
    const size = values.length / places;
    return values.subarray(begin * size, end * size) as Values;
  };
  const scores = cut(all.scores);
  switch (output.kind) {
    case 'argmax':
      return { row, kind: 'argmax', tokenIds: cut(all.tokenIds) };
    case 'topK':
      return { row, kind: 'topK', k: output.k, tokenIds: cut(all.tokenIds), logProbs: scores };
    case 'logProbs':
      return { row, kind: 'logProbs', logProbs: scores };
    case 'logits':
      return { row, kind: 'logits', logits: scores };
  }
}
