import type {
  CtcLattice,
  Drafter,
  DraftRequest,
  DraftSession,
  DraftTree,
  LatticeModel,
  TokenSource,
} from '@foretoken/core';
import {
  assertLattice,
  type CtcPrefix,
  CtcPrefixScorer,
  checkOptions,
  EMPTY_DRAFT,
  emitted,
  integer,
  number,
  type OptionTable,
  oneOf,
  withMethods,
  Yielder,
} from '@foretoken/core/kit';
import {
  assertSameVocabulary,
  type LanguageModel,
  languageModelOption,
  type WeightedLanguageModel,
} from '@foretoken/language-models';

import { DraftingTimes } from './drafting-times.js';
import { type GrownDraft, growDraft } from './lattice-tree.js';

/** Options of `latticeDrafter`. */
export interface LatticeDrafterOptions<Source> {
  /** A CTC model of the target's vocabulary. */
  readonly model: LatticeModel<Source>;
  /** Candidates to ask of each frame, capped at what the model returns; default 4. */
  readonly candidates?: number | undefined;
  /** Most nodes of a draft; default: what the decoder allows. */
  readonly maxNodes?: number | undefined;
  /** A path less probable than this is not proposed; default: what the decoder says can pay, 0.1 where it does not say. */
  readonly minProbability?: number | undefined;
  /**
   * A model of the target's outputs: it repairs what a CTC model, whose tokens do not see one another, joins badly. Its
   * `weight` (default 0.5) is that in a geometric mean with the lattice, whose weight is 1. It changes drafts only, never the
   * output.
   */
  readonly languageModel?: WeightedLanguageModel | undefined;
  /**
   * `chain` (default) proposes the best child of each node, `tree` alternatives too, for targets with branching. A tree has
   * more tokens accepted a forward and more to verify; with the models measured so far the two came out even.
   */
  readonly shape?: 'tree' | 'chain' | undefined;
}

interface WeighedModel {
  readonly model: LanguageModel;
  readonly weight: number;
}

interface Settings {
  readonly maxNodes: number;
  readonly minProbability: number | undefined;
  readonly chain: boolean;
  readonly languageModel: WeighedModel | undefined;
  readonly endTokenId: number | undefined;
}

const NAME = 'lattice';
const OPTIONS: OptionTable<LatticeDrafterOptions<never>> = {
  model: withMethods('a lattice model', 'emit'),
  candidates: integer(1),
  maxNodes: integer(1),
  minProbability: number(0, 1),
  languageModel: languageModelOption,
  shape: oneOf('tree', 'chain'),
};

/** Where neither the options nor the decoder say what is worth proposing. */
const DEFAULT_MIN_PROBABILITY = 0.1;
/** Of a language model, where the options do not say it. */
const DEFAULT_WEIGHT = 0.5;

/**
 * Drafts from a CTC lattice: the model runs once for each source, and every draft after that is the lattice's own
 * distribution of the next tokens given the accepted prefix, so a rejected draft costs no further forward.
 *
 * Throws `INVALID_ARGUMENT`, and `UNSUPPORTED_CAPABILITY` for a model that does not emit CTC lattices.
 */
export function latticeDrafter<Source = TokenSource>(options: LatticeDrafterOptions<Source>): Drafter<Source> {
  options = checkOptions<LatticeDrafterOptions<Source>>('latticeDrafter', options, OPTIONS, ['model']);
  const { model, candidates = 4, maxNodes = Number.MAX_SAFE_INTEGER, minProbability, shape = 'chain' } = options;
  assertLattice({ name: 'The lattice drafter', requires: { model: 'lattice', kinds: ['ctc'], candidates: 1 } }, model);
  const { endTokenId, size } = model.vocabulary;
  const languageModel = options.languageModel && weighed(options.languageModel, size);
  const settings: Settings = { maxNodes, minProbability, chain: shape === 'chain', languageModel, endTokenId };
  const times = new DraftingTimes();
  return {
    name: NAME,
    vocabulary: model.vocabulary,
    encoder: model.encoder,
    get costs() {
      return times.costs;
    },
    async open(sources, { encoding, signal } = {}) {
      const k = Math.min(candidates, model.supports.maxCandidates);
      const began = performance.now();
      const given = await model.emit(sources, { encoding, signal, k });
      const lattices = emitted('ctc', given, sources.length);
      times.opened(performance.now() - began, sources.length);
      const yielder = new Yielder(signal);
      const rows: RowState[] = [];
      for (const lattice of lattices) {
        rows.push(rowState(lattice, size, rows.length, settings));
        if (yielder.due()) await yielder.yield();
      }
      return new LatticeDraftSession(rows, settings, times, signal);
    },
  };
}

function weighed({ model, weight = DEFAULT_WEIGHT }: WeightedLanguageModel, size: number): WeighedModel | undefined {
  assertSameVocabulary('languageModel.model', model, size);
  // What does not count must not be asked either.
  return weight === 0 ? undefined : { model, weight };
}

/** Where the drafter stands in one row's lattice. */
interface RowState {
  readonly scorer: CtcPrefixScorer;
  readonly tokenIds: number[];
  /** The state after `tokenIds`. */
  prefix: CtcPrefix;
  /** The language model's state after `tokenIds`. */
  language: unknown;
  /** The last draft: what is accepted of it need not be computed again. */
  grown: GrownDraft | undefined;
  /** The node of it that `tokenIds` end with, -1 for the place below which it was grown. */
  node: number;
}

function rowState(lattice: CtcLattice, vocabularySize: number, row: number, settings: Settings): RowState {
  const scorer = new CtcPrefixScorer(lattice, vocabularySize, row);
  const language = settings.languageModel?.model.start();
  return { scorer, tokenIds: [], prefix: scorer.start(), language, grown: undefined, node: -1 };
}

class LatticeDraftSession implements DraftSession {
  readonly forwards = 1;
  readonly #rows: (RowState | undefined)[];
  readonly #settings: Settings;
  readonly #times: DraftingTimes;
  readonly #yielder: Yielder;

  constructor(rows: RowState[], settings: Settings, times: DraftingTimes, signal: AbortSignal | undefined) {
    this.#rows = rows;
    this.#settings = settings;
    this.#times = times;
    this.#yielder = new Yielder(signal);
  }

  async propose(requests: readonly DraftRequest[]): Promise<DraftTree[]> {
    const drafts: DraftTree[] = [];
    // Without the turns that others have in between.
    let spent = 0;
    for (const request of requests) {
      const began = performance.now();
      drafts.push(this.#draft(request));
      spent += performance.now() - began;
      if (this.#yielder.due()) await this.#yielder.yield();
    }
    this.#times.proposed(spent, requests.length);
    return drafts;
  }

  finish(row: number): void {
    this.#rows[row] = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows.fill(undefined);
  }

  #draft({ row, prefix, limit }: DraftRequest): DraftTree {
    const { maxNodes, minProbability, chain, languageModel, endTokenId } = this.#settings;
    const state = this.#rows[row];
    const nodes = Math.min(maxNodes, limit.nodes);
    if (state === undefined || nodes < 1 || limit.depth < 1) return EMPTY_DRAFT;
    reanchor(state, prefix, languageModel?.model);
    const min = Math.max(minProbability ?? 0, limit.minProbability ?? 0) || (minProbability ?? DEFAULT_MIN_PROBABILITY);
    const grown = growDraft(state.scorer, state.prefix, {
      nodes,
      depth: limit.depth,
      min,
      chain,
      opinion: languageModel && {
        model: languageModel.model,
        weight: languageModel.weight,
        state: state.language,
        row,
        position: prefix.length,
      },
      endTokenId,
    });
    state.grown = grown;
    state.node = -1;
    return grown.draft;
  }
}

/** Brings a row to another prefix, from where it stands if the prefix goes on from there. */
function reanchor(state: RowState, prefix: Int32Array, model: LanguageModel | undefined): void {
  const { scorer, tokenIds } = state;
  if (!tokenIds.every((tokenId, position) => prefix[position] === tokenId)) {
    leaveDraft(state);
    scorer.release(state.prefix);
    tokenIds.length = 0;
    state.prefix = scorer.start();
    state.language = model?.start();
  }
  for (let position = tokenIds.length; position < prefix.length; position++) advance(state, prefix[position], model);
  leaveDraft(state);
}

/** Adds a token to where a row stands, along its last draft as far as that goes. */
function advance(state: RowState, tokenId: number, model: LanguageModel | undefined): void {
  const { scorer, grown, prefix } = state;
  const node = grown === undefined ? -1 : childOf(grown.draft, state.node, tokenId);
  const place = grown?.places[node];
  if (place?.state === undefined) {
    leaveDraft(state);
    state.prefix = scorer.extend(prefix, tokenId);
    state.language = model?.next(state.language, tokenId);
  } else {
    state.node = node;
    state.prefix = place.state;
    state.language = place.language;
    place.state = undefined;
  }
  scorer.release(prefix);
  state.tokenIds.push(tokenId);
}

/** The child of a draft's node with this token; -1 where there is none. */
function childOf({ tokenIds, parents }: DraftTree, parent: number, tokenId: number): number {
  for (let node = parent + 1; node < tokenIds.length; node++) {
    if (parents[node] === parent && tokenIds[node] === tokenId) return node;
  }
  return -1;
}

/** Gives back what is left of the last draft. */
function leaveDraft(state: RowState): void {
  for (const { state: left } of state.grown?.places ?? []) if (left !== undefined) state.scorer.release(left);
  state.grown = undefined;
}
