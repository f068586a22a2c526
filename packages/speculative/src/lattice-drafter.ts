import {
  assertLattice,
  assertScores,
  type CtcLattice,
  type CtcPrefix,
  CtcPrefixScorer,
  checkOptions,
  type Drafter,
  type DraftLimit,
  type DraftSession,
  type DraftTree,
  ForetokenError,
  integer,
  type LatticeModel,
  listOf,
  type NgramModel,
  ngramModel,
  number,
  type OptionTable,
  oneOf,
  type TokenSource,
  withMethods,
} from '@foretoken/core';
import { assertRoundCost, draftLength, longEnough, type RoundCost } from './draft-length.js';
import { EMPTY_DRAFT } from './draft-tree.js';
import { growDraft, type WeightedNgrams } from './lattice-tree.js';

export interface LatticeDrafterOptions<Source> {
  /** A CTC model of the target's vocabulary. */
  readonly model: LatticeModel<Source>;
  /** Candidates to ask of each frame, capped at what the model returns; default 4. */
  readonly candidates?: number;
  /** Most nodes of a draft; default: what the decoder allows. */
  readonly maxNodes?: number;
  /** A path less probable than this is not proposed; default 0.1. */
  readonly minProbability?: number;
  /**
   * An n-gram model of the target's outputs, of the same vocabulary: it repairs what a CTC model, whose tokens do not see
   * one another, joins badly. It changes drafts only, never the output.
   */
  readonly ngrams?: NgramModel;
  /** Weight of the n-gram model in a geometric mean with the lattice, whose weight is 1; default 0.5. */
  readonly ngramWeight?: number;
  /**
   * `chain` (default) proposes the best child of each node, `tree` alternatives too, for targets with branching. A tree has
   * more tokens accepted a forward and more to verify; with the models measured so far the two came out even.
   */
  readonly shape?: 'tree' | 'chain';
  /**
   * Relative cost of a target forward with `index + 1` nodes, as measured; drafts then end where more nodes would not
   * pay (see `draftLength`), and are shorter than this list. An empty list, as a model has that was not probed, is none.
   */
  readonly verifyCost?: readonly number[];
}

interface Settings {
  readonly maxNodes: number;
  readonly minProbability: number;
  readonly chain: boolean;
  readonly cost: RoundCost | undefined;
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
  verifyCost: listOf(number(Number.MIN_VALUE, Number.MAX_VALUE)),
};

/**
 * Drafts from a CTC lattice: the model runs once for each source, and every draft after that is the lattice's own
 * distribution of the next tokens given the accepted prefix, so a rejected draft costs no further forward.
 *
 * Throws `INVALID_ARGUMENT`, and `UNSUPPORTED_CAPABILITY` for a model that does not emit CTC lattices.
 */
export function latticeDrafter<Source = TokenSource>(options: LatticeDrafterOptions<Source>): Drafter<Source> {
  options = checkOptions<LatticeDrafterOptions<Source>>('latticeDrafter', options, OPTIONS, ['model']);
  const { model, candidates = 4, maxNodes = Number.MAX_SAFE_INTEGER, minProbability = 0.1, shape = 'chain' } = options;
  assertLattice({ name: 'The lattice drafter', requires: { model: 'lattice', kinds: ['ctc'], candidates: 1 } }, model);
  const { verifyCost = [] } = options;
  const cost = verifyCost.length === 0 ? undefined : { verifyCost };
  if (cost !== undefined) assertRoundCost(cost);
  const { endTokenId, size } = model.vocabulary;
  const ngrams = weightedNgrams(options, size);
  const settings: Settings = { maxNodes, minProbability, chain: shape === 'chain', cost, ngrams, endTokenId };
  return {
    name: NAME,
    vocabulary: model.vocabulary,
    ...(model.encoder === undefined ? {} : { encoder: model.encoder }),
    async open(sources, context) {
      const k = Math.min(candidates, model.supports.maxCandidates);
      const lattices = await model.emit(sources, { ...context, k });
      return new LatticeDraftSession(lattices as CtcLattice[], size, settings);
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
  prefix: CtcPrefix;
  /** Output tokens that `prefix` holds. */
  length: number;
}

class LatticeDraftSession implements DraftSession {
  readonly forwards = 1;
  readonly #rows: readonly RowState[];
  readonly #settings: Settings;

  constructor(lattices: readonly CtcLattice[], vocabularySize: number, settings: Settings) {
    this.#settings = settings;
    this.#rows = lattices.map((lattice, row) => {
      assertLatticeScores(lattice, row);
      const scorer = new CtcPrefixScorer(lattice, vocabularySize);
      return { scorer, prefix: scorer.start(), length: 0 };
    });
  }

  propose(row: number, prefix: Int32Array, limit: DraftLimit): DraftTree {
    const { maxNodes, minProbability, chain, cost, ngrams, endTokenId } = this.#settings;
    const state = this.#rows[row] as RowState;
    for (; state.length < prefix.length; state.length++) {
      state.prefix = state.scorer.extend(state.prefix, prefix[state.length] as number);
    }
    const nodes = Math.min(maxNodes, limit.nodes, cost === undefined ? maxNodes : cost.verifyCost.length - 1);
    if (nodes < 1 || limit.depth < 1) return EMPTY_DRAFT;
    const start = ngrams?.model.startTokenId ?? endTokenId;
    const history = [prefix.at(-2) ?? start, prefix.at(-1) ?? start] as const;
    const enough =
      cost === undefined
        ? () => false
        : (probabilities: readonly number[], next: number) => longEnough(probabilities, next, cost);
    const options = { nodes, depth: limit.depth, least: minProbability, chain, enough, ngrams, history, endTokenId };
    const { tokenIds, parents, probabilities } = growDraft(state.scorer, state.prefix, options);
    const length = cost === undefined ? tokenIds.length : draftLength(probabilities, cost);
    return { tokenIds: tokenIds.subarray(0, length), parents: parents.subarray(0, length) };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
