import { type Decoder, ForetokenError, type LatticeModel, type TokenSource } from '@foretoken/core';
import { assertInteger, checkOptions, integer, number, type OptionTable } from '@foretoken/core/kit';
import { assertSameVocabulary, languageModelOption, type WeightedLanguageModel } from '@foretoken/language-models';
import { DAG_OPTIONS, type DagOptions, dagDecoder } from './dag-decoder.js';
import { followedEdges } from './dag-edges.js';
import { type PrefixBeamOptions, prefixBeam } from './prefix-beam.js';

/** Options of `dagBeam`. */
export interface DagBeamOptions extends DagOptions {
  /** Prefixes kept at each length (default 4). */
  readonly beamSize?: number | undefined;
  /** Most probable tokens of each vertex that are searched (default 5). */
  readonly candidates?: number | undefined;
  /** Hypotheses to return, at most the beam size (default 1). */
  readonly hypotheses?: number | undefined;
  /** Exponent of the length that a score is divided by, vertices counted (default 1); 0 ranks by plain log-probability. */
  readonly lengthPenalty?: number | undefined;
  /** A model of outputs; its scores count by `weight` (default 0.1), where the lattice's log-probability has weight 1. */
  readonly languageModel?: WeightedLanguageModel | undefined;
}

const OPTIONS: OptionTable<DagBeamOptions> = {
  ...DAG_OPTIONS,
  beamSize: integer(1, 4096),
  candidates: integer(1),
  hypotheses: integer(1),
  lengthPenalty: number(-10, 10),
  languageModel: languageModelOption,
};

/**
 * Beam search over the token sequences of a DAG lattice: paths that say the same are one hypothesis with their summed
 * probability, optionally with a language model (Huang et al., 2022, "Directed Acyclic Transformer", section 3). Paths say the
 * same where end token, limit or stops of the request cut them to the same output.
 *
 * A hypothesis' `logProb` is the natural-log probability of its tokens over the paths that were followed, `score` that of
 * lattice and language model divided by the length penalty. In lattices of more than 256 vertices, a prefix is followed from the 256
 * most probable vertices it stands on, along the 256 most probable edges of each. Throws `INVALID_ARGUMENT`; decoding also `UNSUPPORTED_CAPABILITY` where
 * the model offers fewer candidates, and `UNSATISFIABLE_CONSTRAINT` where the language model, or a beam too narrow for it,
 * leaves no output, and `INVALID_SCORES` where that model scores with NaN or +Infinity.
 */
export function dagBeam<Source = TokenSource>(options: DagBeamOptions = {}): Decoder<LatticeModel<Source>> {
  options = checkOptions('dagBeam', options, OPTIONS);
  const { beamSize = 4, candidates = 5, hypotheses = 1, lengthPenalty = 1, languageModel } = options;
  assertInteger('hypotheses', hypotheses, 1, beamSize);
  const { model: fused, weight = 0.1 } = languageModel ?? {};
  const settings: Omit<PrefixBeamOptions, 'startTokenId'> = {
    beamSize,
    outputs: hypotheses,
    lengthPenalty,
    // What does not count must not rule anything out either.
    fusion: fused === undefined || weight === 0 ? undefined : { model: fused, weight },
  };
  return dagDecoder({
    name: 'dag-beam',
    options,
    candidates,
    cuts: true,
    prepare: ({ vocabulary: { size } }, _request, startTokenId) => {
      if (fused !== undefined) assertSameVocabulary('languageModel.model', fused, size);
      return function* (row) {
        const { endTokenId } = row.ends;
        const edges = yield* followedEdges(row.graph, endTokenId);
        const found = yield* prefixBeam({ ...row, edges }, { ...settings, startTokenId });
        if (found.length === 0) throw noOutput(row.row, beamSize, settings.fusion !== undefined);
        return found.map(({ tokenIds, logProb, score, ended }) => ({
          tokenIds: ended && endTokenId !== undefined ? [...tokenIds, endTokenId] : tokenIds,
          logProb,
          score,
        }));
      };
    },
  });
}

function noOutput(row: number, beamSize: number, fused: boolean): ForetokenError {
  const what = fused ? ' that the language model allows; widen the beam or smooth the model' : '; widen the beam';
  return new ForetokenError('UNSATISFIABLE_CONSTRAINT', `Beam search found no output of row ${row}${what}.`, {
    row,
    beamSize,
  });
}
