import {
  assertInteger,
  checkOptions,
  type Decoder,
  ForetokenError,
  integer,
  type LatticeModel,
  type NgramModel,
  ngramModel,
  number,
  type OptionTable,
  type TokenSource,
} from '@foretoken/core';
import { DAG_OPTIONS, type DagOptions, dagDecoder } from './dag-decoder.js';
import { followedEdges } from './dag-edges.js';
import { type PrefixBeamOptions, prefixBeam } from './prefix-beam.js';

export interface DagBeamOptions extends DagOptions {
  /** Prefixes kept at each length (default 4). */
  readonly beamSize?: number;
  /** Most probable tokens of each vertex that are searched (default 5). */
  readonly candidates?: number;
  /** Hypotheses to return, at most the beam size (default 1). */
  readonly hypotheses?: number;
  /** Exponent of the length that a score is divided by, vertices counted (default 1); 0 ranks by plain log-probability. */
  readonly lengthPenalty?: number;
  /** An n-gram model of outputs, of the same vocabulary; a token of probability 0 is ruled out. */
  readonly ngrams?: NgramModel;
  /** Weight of the n-gram model's natural-log probability (default 0.1); the lattice's has weight 1. */
  readonly ngramWeight?: number;
}

const OPTIONS: OptionTable<DagBeamOptions> = {
  ...DAG_OPTIONS,
  beamSize: integer(1, 4096),
  candidates: integer(1),
  hypotheses: integer(1),
  lengthPenalty: number(-10, 10),
  ngrams: ngramModel,
  ngramWeight: number(0, 100),
};

/**
 * Beam search over the token sequences of a DAG lattice: paths that say the same are one hypothesis with their summed
 * probability, optionally with n-gram fusion (Huang et al., 2022, "Directed Acyclic Transformer", section 3). Paths say the
 * same where end token, limit or stops of the request cut them to the same output.
 *
 * A hypothesis' `logProb` is the natural-log probability of its tokens over the paths that were followed, `score` that of
 * lattice and n-grams divided by the length penalty. In lattices of more than 256 vertices, a prefix is followed from the 256
 * most probable vertices it stands on, along the 256 most probable edges of each. Throws `INVALID_ARGUMENT`; decoding also `UNSUPPORTED_CAPABILITY` where
 * the model offers fewer candidates, and `UNSATISFIABLE_CONSTRAINT` where the n-gram model, or a beam too narrow for it,
 * leaves no output.
 */
export function dagBeam<Source = TokenSource>(options: DagBeamOptions = {}): Decoder<LatticeModel<Source>> {
  options = checkOptions('dagBeam', options, OPTIONS);
  const { beamSize = 4, candidates = 5, hypotheses = 1, lengthPenalty = 1, ngrams, startTokenId } = options;
  assertInteger('hypotheses', hypotheses, 1, beamSize);
  if (ngrams === undefined && options.ngramWeight !== undefined) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `ngramWeight is ${options.ngramWeight}, but there is no n-gram model to weigh; ngrams is required with it.`,
      { option: 'ngramWeight', received: options.ngramWeight },
    );
  }
  const fuse = ngrams === undefined ? undefined : fusion(ngrams, options.ngramWeight ?? 0.1);
  const settings: PrefixBeamOptions = {
    beamSize,
    outputs: hypotheses,
    lengthPenalty,
    ...(startTokenId === undefined ? {} : { startTokenId }),
    ...(fuse === undefined ? {} : { fuse }),
  };
  return dagDecoder({
    name: 'dag-beam',
    options,
    candidates,
    cuts: true,
    prepare: ({ vocabulary: { size } }) => {
      if (ngrams !== undefined && ngrams.vocabularySize !== size) {
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `ngrams is a model of ${ngrams.vocabularySize} tokens, but the lattice model's ${size} are required.`,
          { option: 'ngrams', received: ngrams.vocabularySize, required: size },
        );
      }
      return function* (row) {
        const edges = yield* followedEdges(row.graph, row.ends.endTokenId);
        const found = yield* prefixBeam({ ...row, edges }, settings);
        if (found.length === 0) throw noOutput(row.row, beamSize, ngrams !== undefined);
        return found.map(({ tokenIds, logProb, score, ended }) => ({
          tokenIds: ended ? [...tokenIds, row.ends.endTokenId] : tokenIds,
          logProb,
          score,
        }));
      };
    },
  });
}

function noOutput(row: number, beamSize: number, fused: boolean): ForetokenError {
  const what = fused ? ' that the n-gram model allows; widen the beam or smooth the model' : '; widen the beam';
  return new ForetokenError('UNSATISFIABLE_CONSTRAINT', `Beam search found no output of row ${row}${what}.`, {
    row,
    beamSize,
  });
}

/** Weighted natural-log probabilities of next tokens. */
function fusion(ngrams: NgramModel, weight: number): PrefixBeamOptions['fuse'] {
  // What does not count must not rule anything out either.
  if (weight === 0) return;
  const idOf = (tokenId: number): number => (tokenId < 0 ? ngrams.startTokenId : tokenId);
  return (before, last) => {
    const probability = ngrams.after(idOf(before), idOf(last));
    return (tokenId) => weight * Math.log(probability(tokenId));
  };
}
