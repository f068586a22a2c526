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
 * probability, optionally with n-gram fusion (Huang et al., 2022, "Directed Acyclic Transformer", section 3).
 *
 * A hypothesis' `logProb` is the natural-log probability of its tokens over the paths that were followed, `score` that of
 * lattice and n-grams divided by the length penalty. Throws `INVALID_ARGUMENT`; decoding also `UNSUPPORTED_CAPABILITY` where
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
  const fuse = ngrams === undefined ? undefined : fusion(ngrams, options.ngramWeight ?? 0.1, startTokenId);
  const settings: PrefixBeamOptions = {
    beamSize,
    sequences: hypotheses,
    lengthPenalty,
    ...(fuse === undefined ? {} : { fuse }),
  };
  return dagDecoder({
    name: 'dag-beam',
    options,
    candidates,
    distinct: true,
    prepare: ({ vocabulary: { size } }) => {
      if (ngrams !== undefined && ngrams.vocabularySize !== size) {
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `ngrams is a model of ${ngrams.vocabularySize} tokens, but the lattice model's ${size} are required.`,
          { option: 'ngrams', received: ngrams.vocabularySize, required: size },
        );
      }
      return (graph, row) => {
        const found = prefixBeam(graph, settings);
        if (found.length > 0) return found;
        throw new ForetokenError(
          'UNSATISFIABLE_CONSTRAINT',
          `Beam search found no output of row ${row} that the n-gram model allows; widen the beam or smooth the model.`,
          { row, beamSize },
        );
      };
    },
  });
}

/** Weighted natural-log probabilities of next tokens; a start token is not scored and not part of any history. */
function fusion(ngrams: NgramModel, weight: number, startTokenId: number | undefined): PrefixBeamOptions['fuse'] {
  return (tokenIds) => {
    const from = tokenIds.length > 0 && tokenIds[0] === startTokenId ? 1 : 0;
    const at = (place: number): number => (place < from ? ngrams.startTokenId : (tokenIds[place] as number));
    const probability = ngrams.after(at(tokenIds.length - 2), at(tokenIds.length - 1));
    return (tokenId) => {
      if (weight === 0 || (tokenIds.length === 0 && tokenId === startTokenId)) return 0;
      return weight * Math.log(probability(tokenId));
    };
  };
}
