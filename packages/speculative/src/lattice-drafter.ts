import {
  assertLattice,
  assertScores,
  type CtcLattice,
  type CtcPrefix,
  CtcPrefixScorer,
  checkOptions,
  type Drafter,
  type DraftRequest,
  type DraftSession,
  type DraftTree,
  ForetokenError,
  integer,
  type LatticeModel,
  type NgramModel,
  ngramModel,
  number,
  type OptionTable,
  oneOf,
  type TokenSource,
  withMethods,
} from '@foretoken/core';
import { EMPTY_DRAFT } from './draft-tree.js';
import { DraftingTimes } from './drafting-times.js';
import { growDraft, type WeightedNgrams } from './lattice-tree.js';

export interface LatticeDrafterOptions<Source> {
  /** A CTC model of the target's vocabulary. */
  readonly model: LatticeModel<Source>;
  /** Candidates to ask of each frame, capped at what the model returns; default 4. */
  readonly candidates?: number;
  /** Most nodes of a draft; default: what the decoder allows. */
  readonly maxNodes?: number;
  /** A path less probable than this is not proposed; default: what the decoder says can pay, 0.1 where it does not say. */
  readonly minProbability?: number;
  /**
   * An n-gram model of the target's outputs, of the same vocabulary: it repairs what a CTC model, whose tokens do not see
   * one another, joins badly. It changes drafts only, never the output.
   */
  readonly ngrams?: NgramModel | undefined;
  /** Weight of the n-gram model in a geometric mean with the lattice, whose weight is 1; default 0.5. */
  readonly ngramWeight?: number;
  /**
   * `chain` (default) proposes the best child of each node, `tree` alternatives too, for targets with branching. A tree has
   * more tokens accepted a forward and more to verify; with the models measured so far the two came out even.
   */
  readonly shape?: 'tree' | 'chain';
}

interface Settings {
  readonly maxNodes: number;
  readonly minProbability: number | undefined;
  readonly chain: boolean;
  readonly ngrams: WeightedNgrams | undefined;
  readonly endTokenId: number;
}

const NAME = 'lattice';
const OPTIONS: OptionTable<LatticeDrafterOptions<never>> = {
  model: withMethods('a lattice model', 'emit'),
  candidates: integer(1),
  maxNodes: integer(1),
  minProbability: number(0, 1),
  ngrams: ngramModel,
  ngramWeight: number(0, Number.MAX_VALUE),
  shape: oneOf('tree', 'chain'),
};

/** Where neither the options nor the decoder say what is worth proposing. */
const DEFAULT_MIN_PROBABILITY = 0.1;

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
  const ngrams = weightedNgrams(options, size);
  const settings: Settings = { maxNodes, minProbability, chain: shape === 'chain', ngrams, endTokenId };
  const times = new DraftingTimes();
  return {
    name: NAME,
    vocabulary: model.vocabulary,
    encoder: model.encoder,
    get costs() {
      return times.costs;
    },
    async open(sources, { encoding, signal }) {
      const k = Math.min(candidates, model.supports.maxCandidates);
      const began = performance.now();
      const lattices = await model.emit(sources, { ...(encoding && { encoding }), ...(signal && { signal }), k });
      times.opened(performance.now() - began, sources.length);
      return new LatticeDraftSession(lattices as CtcLattice[], size, settings, times);
    },
  };
}

function weightedNgrams<Source>(options: LatticeDrafterOptions<Source>, size: number): WeightedNgrams | undefined {
  const { ngrams, ngramWeight = 0.5 } = options;
  if (ngrams === undefined) {
    if (options.ngramWeight !== undefined) throw invalid('ngramWeight', ngramWeight, 'given together with ngrams');
    return undefined;
  }
  if (ngrams.vocabularySize !== size) {
    throw invalid('ngrams', `of ${ngrams.vocabularySize} tokens`, `of the lattice model's ${size} tokens`);
  }
  return { model: ngrams, weight: ngramWeight };
}

function invalid(option: string, received: unknown, required: string): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `${option} must be ${required}, but was ${String(received)}.`, {
    option,
    received,
  });
}

/** Throws `INVALID_SCORES` naming row and frame: such a lattice would draft in silence, and badly. */
function assertLatticeScores({ frames, k, logProbs, blankLogProbs }: CtcLattice, row: number): void {
  for (let frame = 0; frame < frames; frame++) {
    assertScores(logProbs, row, frame, frame * k, (frame + 1) * k);
    assertScores(blankLogProbs, row, frame, frame, frame + 1);
  }
}

/** Where the drafter stands in one row's lattice. */
interface RowState {
  readonly scorer: CtcPrefixScorer;
  readonly tokenIds: number[];
  /** The state after `tokenIds`. */
  prefix: CtcPrefix;
}

class LatticeDraftSession implements DraftSession {
  readonly forwards = 1;
  readonly #rows: (RowState | undefined)[];
  readonly #settings: Settings;
  readonly #times: DraftingTimes;

  constructor(lattices: readonly CtcLattice[], vocabularySize: number, settings: Settings, times: DraftingTimes) {
    this.#settings = settings;
    this.#times = times;
    this.#rows = lattices.map((lattice, row) => {
      assertLatticeScores(lattice, row);
      const scorer = new CtcPrefixScorer(lattice, vocabularySize);
      return { scorer, tokenIds: [], prefix: scorer.start() };
    });
  }

  propose(requests: readonly DraftRequest[]): DraftTree[] {
    const began = performance.now();
    const drafts = requests.map((request) => this.#draft(request));
    this.#times.proposed(performance.now() - began, requests.length);
    return drafts;
  }

  finish(row: number): void {
    this.#rows[row] = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows.fill(undefined);
  }

  #draft({ row, prefix, limit }: DraftRequest): DraftTree {
    const { maxNodes, minProbability, chain, ngrams, endTokenId } = this.#settings;
    const state = this.#rows[row];
    const nodes = Math.min(maxNodes, limit.nodes);
    if (state === undefined || nodes < 1 || limit.depth < 1) return EMPTY_DRAFT;
    reanchor(state, prefix);
    const start = ngrams?.model.startTokenId ?? endTokenId;
    const history = [prefix.at(-2) ?? start, prefix.at(-1) ?? start] as const;
    const least =
      Math.max(minProbability ?? 0, limit.minProbability ?? 0) || (minProbability ?? DEFAULT_MIN_PROBABILITY);
    return growDraft(state.scorer, state.prefix, {
      nodes,
      depth: limit.depth,
      least,
      chain,
      ngrams,
      history,
      endTokenId,
    });
  }
}

/** Brings a row to another prefix, from where it stands if the prefix goes on from there. */
function reanchor(state: RowState, prefix: Int32Array): void {
  const { scorer, tokenIds } = state;
  if (!tokenIds.every((tokenId, position) => prefix[position] === tokenId)) {
    tokenIds.length = 0;
    state.prefix = scorer.start();
  }
  for (const tokenId of prefix.subarray(tokenIds.length)) {
    state.prefix = scorer.extend(state.prefix, tokenId);
    tokenIds.push(tokenId);
  }
}
