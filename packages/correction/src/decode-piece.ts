import {
  type AutoregressiveModel,
  collect,
  type Decoder,
  type DecodeStatistics,
  ForetokenError,
  type LatticeModel,
  type TokenSource,
} from '@foretoken/core';
import { ctcBestPath, wrongValue, type Yielder } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import type { CorrectionTokenizer } from './model.js';
import type { RefusedWords } from './refused-words.js';
import { tokenTexts } from './token-places.js';

/** What a model makes of a piece, with the natural-log probability of each token, the end token last. */
export interface DecodedPiece {
  readonly text: string;
  readonly tokenIds: Int32Array;
  readonly tokenLogProbs: Float32Array;
  /** It is what the model says under the rule that refused words must not come in. */
  readonly ruled: boolean;
}

/** Why a piece has no output. */
type Undecoded = 'too-long' | 'endless';

type Target = AutoregressiveModel<TokenSource>;

/** What makes pieces' outputs. */
export interface PieceReader {
  decode(piece: string, totals: Totals, signal: AbortSignal | undefined): Promise<DecodedPiece | Undecoded>;
}

/** Reads pieces one by one from the lattices of a CTC model, a forward each: the best path, with the probability of its tokens. */
export class LatticePieceReader implements PieceReader {
  readonly #model: LatticeModel<TokenSource>;
  readonly #tokenizer: CorrectionTokenizer;

  constructor(model: LatticeModel<TokenSource>, tokenizer: CorrectionTokenizer) {
    this.#model = model;
    this.#tokenizer = tokenizer;
  }

  /** Words that must not come in are for whoever reads the finished text: a lattice is not decoded again under a rule. */
  async decode(piece: string, totals: Totals, signal: AbortSignal | undefined): Promise<DecodedPiece | Undecoded> {
    const source = encoded(this.#tokenizer, piece);
    if (source === undefined) return 'too-long';
    const began = performance.now();
    const [lattice] = await this.#model.emit([source], { k: 1, signal });
    if (lattice?.kind !== 'ctc') throw wrongValue('What model.emit gives', lattice, 'one CTC lattice a source');
    const { tokenIds, logProbs } = ctcBestPath(lattice);
    // Nothing says how sure it is of the end, which is that of the lattice.
    const tokenLogProbs = new Float32Array(tokenIds.length + 1);
    tokenLogProbs.set(logProbs);
    totals.add({ forwards: 1, tokens: tokenIds.length, totalMs: performance.now() - began });
    return { text: this.#tokenizer.decode(tokenIds), tokenIds, tokenLogProbs, ruled: false };
  }
}

function encoded(tokenizer: CorrectionTokenizer, piece: string): TokenSource | undefined {
  try {
    return tokenizer.encode(piece);
  } catch (error) {
    if (ForetokenError.isInstance(error) && error.code === 'SOURCE_TOO_LONG') return undefined;
    throw error;
  }
}

/** Decodes pieces one by one, and counts what that takes. */
export class PieceDecoder implements PieceReader {
  readonly #model: Target;
  readonly #tokenizer: CorrectionTokenizer;
  readonly #decoder: Decoder<Target>;
  readonly #refused: RefusedWords;
  readonly #yielder: Yielder;

  constructor(
    model: Target,
    tokenizer: CorrectionTokenizer,
    decoder: Decoder<Target>,
    refused: RefusedWords,
    yielder: Yielder,
  ) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#decoder = decoder;
    this.#refused = refused;
    this.#yielder = yielder;
  }

  /**
   * The model's own output; where that brings in a refused word, its output under the rule that it must not. A word for why there
   * is none: the piece is too long to be read, or the model finds no end.
   */
  async decode(piece: string, totals: Totals, signal: AbortSignal | undefined): Promise<DecodedPiece | Undecoded> {
    const source = encoded(this.#tokenizer, piece);
    if (source === undefined) return 'too-long';
    const own = await this.#run(this.#decoder, source, false, totals, signal);
    if (typeof own === 'string' || !(await this.#yielder.run(this.#refused.bringsIn(piece, own.text)))) return own;
    const { vocabulary } = this.#model;
    const texts = await this.#yielder.run(tokenTexts(this.#tokenizer, vocabulary.size));
    const constraint = await this.#yielder.run(this.#refused.constraint(piece, texts, vocabulary));
    return this.#run(greedy({ constraint, tokenLogProbs: true }), source, true, totals, signal);
  }

  async #run(
    decoder: Decoder<Target>,
    source: TokenSource,
    ruled: boolean,
    totals: Totals,
    signal: AbortSignal | undefined,
  ): Promise<DecodedPiece | Undecoded> {
    // A correction is about as long as what it corrects; what is much longer goes round in circles.
    const maxNewTokens = Math.min(this.#model.maxLength, 2 * source.length + 16);
    const request = { sources: [source], maxNewTokens, signal };
    const { results, statistics } = await collect(decoder.decode(this.#model, request));
    totals.add(statistics);
    const { tokenIds, tokenLogProbs, finishReason } = results[0].best;
    if (finishReason !== 'end-token' || tokenLogProbs === undefined) return 'endless';
    return { text: this.#tokenizer.decode(tokenIds), tokenIds, tokenLogProbs, ruled };
  }
}

/** Sums of statistics. */
export class Totals {
  #forwards = 0;
  #tokens = 0;
  #totalMs = 0;
  #speculation: DecodeStatistics['speculation'];

  add({ forwards, tokens, totalMs, speculation }: DecodeStatistics): void {
    this.#forwards += forwards;
    this.#tokens += tokens;
    this.#totalMs += totalMs;
    if (speculation === undefined) return;
    const so = this.#speculation ?? { draftForwards: 0, proposed: 0, evaluated: 0, accepted: 0 };
    this.#speculation = {
      draftForwards: so.draftForwards + speculation.draftForwards,
      proposed: so.proposed + speculation.proposed,
      evaluated: so.evaluated + speculation.evaluated,
      accepted: so.accepted + speculation.accepted,
    };
  }

  get statistics(): DecodeStatistics {
    const speculation = this.#speculation;
    const counted = { forwards: this.#forwards, tokens: this.#tokens, totalMs: this.#totalMs };
    return speculation === undefined ? counted : { ...counted, speculation };
  }
}
