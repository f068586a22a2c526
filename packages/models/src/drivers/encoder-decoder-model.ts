import type {
  AutoregressiveModel,
  AutoregressiveSupport,
  ForestOptions,
  ForwardCosts,
  OpenOptions,
  OutputKind,
  TokenForest,
  TokenSource,
  Vocabulary,
} from '@foretoken/core';
import { forestOptions } from '@foretoken/core/kit';
import { assertRows, type JoiningRows, type NodeStore, StoreForest } from '@foretoken/core/runtime';
import { maxPartCells } from './measured-costs.js';
import type { TokenEncoder, TokenEncoding } from './token-encoder.js';

/** What keeps the nodes of a decoder, and what adds sources that rows join with. */
export interface DecoderStore {
  readonly store: NodeStore;
  readonly admit: (encoding: TokenEncoding, sources: readonly TokenSource[]) => void;
}

export interface EncoderDecoderOptions {
  readonly encoder: TokenEncoder;
  readonly outputs: readonly OutputKind[];
  /** Output kinds that can also return hidden states. */
  readonly states: readonly OutputKind[];
  readonly maxCandidates: number;
  readonly vocabulary: Vocabulary;
  /** Tokens that every output begins with, the start token first. */
  readonly beginning: readonly number[];
  /** See `AutoregressiveModel.forcedTokens`. */
  readonly forcedTokens?: number | undefined;
  readonly maxLength: number;
  /** Makes what keeps nodes over encoded sources; `joining` says that rows may join. */
  readonly storeOf: (encoding: TokenEncoding, joining: boolean, sources: readonly TokenSource[]) => DecoderStore;
  /** What forwards cost, where it was measured. */
  readonly costs: ForwardCosts | undefined;
}

/** An encoder and a decoder as an autoregressive model: token forests over step graphs that read an encoded source. */
export class EncoderDecoderModel implements AutoregressiveModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly maxLength: number;
  readonly supports: AutoregressiveSupport;
  readonly encoder: TokenEncoder;
  readonly costs: ForwardCosts | undefined;
  readonly forcedTokens: number | undefined;
  readonly #options: EncoderDecoderOptions;

  constructor(options: EncoderDecoderOptions) {
    this.#options = options;
    this.vocabulary = options.vocabulary;
    this.maxLength = options.maxLength;
    this.forcedTokens = options.forcedTokens;
    this.encoder = options.encoder;
    this.costs = options.costs;
    const maxCandidates = options.outputs.includes('topK') ? options.maxCandidates : 0;
    const { outputs, states } = options;
    this.supports = { outputs, states, branching: true, rollback: true, rows: 4096, joining: true, maxCandidates };
  }

  async open(sources: readonly TokenSource[], given?: ForestOptions): Promise<TokenForest<TokenSource>> {
    const options = forestOptions(given);
    const { encoder, beginning } = this.#options;
    const { joining = false } = options;
    assertRows(this.supports, sources.length);
    const prefixes = (rows: readonly TokenSource[]): Int32Array[] => rows.map(() => Int32Array.from(beginning));
    const encode = (rows: readonly TokenSource[], { encoding, signal }: OpenOptions) =>
      encoder.reuseOrEncode(rows, encoding, signal);
    const encoding = await encode(sources, options);
    const { store, admit } = this.#options.storeOf(encoding, joining, sources);
    const join = async (rows: readonly TokenSource[], own: OpenOptions): Promise<JoiningRows> => {
      const joined = await encode(rows, own);
      return { prefixes: prefixes(rows), admit: () => admit(joined, rows) };
    };
    return new StoreForest({
      store,
      prefixes: prefixes(sources),
      vocabularySize: this.vocabulary.size,
      maxLength: this.maxLength,
      supports: this.supports,
      maxCells: maxPartCells(this.costs),
      join: joining ? join : undefined,
    });
  }
}
