import {
  assertDecode,
  type CtcLattice,
  commonEncoding,
  ctcAlignment,
  cutOutput,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  type LatticeModel,
  type Requirements,
  refuseOutputPrefixes,
  type TokenSource,
} from '@foretoken/core';
import { assertRescorer } from '../rescoring/rescorer.js';
import { type Candidate, rowEvents } from '../row-events.js';
import {
  type CtcPrefixBeamOptions,
  type PrefixBeamSettings,
  prefixBeamSettings,
  searchOptions,
} from './beam-options.js';
import { type Rescorable, rescored } from './ctc-rescoring.js';
import { emitCtc } from './emit-ctc.js';
import { ctcPrefixSearch, type PrefixSearchOptions, type ScoredOutput } from './prefix-search.js';

const NAME = 'ctc-prefix-beam';
const NO_LIMITS: DecodeRequest<never> = { sources: [] };

/**
 * CTC prefix beam search: the most probable outputs by the sum over all their alignments, optionally with a language model,
 * hot words and other bonuses, after a single forward (Graves and Jaitly, 2014, section 4; Hannun et al., 2014).
 *
 * A hypothesis' `logProb` is the natural-log probability of its tokens over all their alignments, `score` that
 * with all bonuses, or what rescoring made of it. Throws `INVALID_ARGUMENT`; decoding also for a lattice that breaks its
 * contract or a language model that scores with no number, `UNSUPPORTED_CAPABILITY` where a model offers too little, and
 * `UNSATISFIABLE_CONSTRAINT` where the language model or `noRepeatNgram` leaves no output.
 */
export function ctcPrefixBeam<Source = TokenSource>(
  options: CtcPrefixBeamOptions<Source> = {},
): Decoder<LatticeModel<Source>> {
  const settings = prefixBeamSettings(options);
  const { alignments, beamSize, candidates, rescoring } = settings;
  const requires: Requirements = { model: 'lattice', kinds: ['ctc'], candidates };
  return {
    name: NAME,
    requires,
    async *decode(model: LatticeModel<Source>, given: DecodeRequest<Source>) {
      const began = performance.now();
      const request = assertDecode({ name: NAME, requires }, model, given);
      refuseOutputPrefixes(NAME, request);
      const search = searchOptions(settings, model.vocabulary);
      if (rescoring !== undefined) {
        assertRescorer('rescoring.model', rescoring.model, model.vocabulary, beamSize > 1);
      }
      const { sources, signal } = request;
      const encoding = await commonEncoding(model, rescoring?.model, sources, signal);
      try {
        const lattices = await emitCtc(model, request, candidates, encoding);
        const { endTokenId } = model.vocabulary;
        const searched = function* (): Generator<Found[]> {
          for (const [row, lattice] of lattices.entries()) {
            signal?.throwIfAborted();
            yield distinctOutputs(searchRow(lattice, search, row), endTokenId);
          }
        };
        const shared = { ...(encoding === undefined ? {} : { encoding }), ...(signal === undefined ? {} : { signal }) };
        const ranked =
          rescoring === undefined
            ? { rows: searched(), forwards: 1 }
            : await rescored(rescoring, sources, [...searched()], shared);
        const rows = function* (): Generator<Candidate[]> {
          let row = 0;
          for (const found of ranked.rows) yield candidatesOf(found, lattices[row++] as CtcLattice, settings);
        };
        yield* rowEvents(rows(), request, {
          endTokenId,
          limit: request.maxNewTokens ?? Number.POSITIVE_INFINITY,
          began,
          forwards: ranked.forwards,
          otherForwards: rescoring === undefined ? undefined : 1,
          distinct: true,
        });
      } finally {
        encoding?.dispose();
      }
    },
  };

  function candidatesOf(found: readonly Found[], lattice: CtcLattice, { hypotheses }: PrefixBeamSettings<Source>) {
    return found.slice(0, hypotheses).map(({ tokenIds, logProb, score }, index): Candidate => {
      // The best output's frames tell how sure each of its tokens is.
      const alignment = alignments || index === 0 ? ctcAlignment(lattice, tokenIds) : undefined;
      return {
        tokenIds,
        logProb,
        score,
        ...(alignment === undefined ? {} : { logProbs: Array.from(alignment.logProbs) }),
        ...(alignments && alignment !== undefined ? { alignment } : {}),
      };
    });
  }
}

/** What a search found, and what is left of it before an end token. */
type Found = ScoredOutput & Rescorable;

function searchRow(lattice: CtcLattice, search: PrefixSearchOptions, row: number): ScoredOutput[] {
  const found = ctcPrefixSearch(lattice, search);
  if (found.length > 0) return found;
  throw new ForetokenError(
    'UNSATISFIABLE_CONSTRAINT',
    `Prefix beam search found no output of row ${row} that language model and noRepeatNgram allow; widen the beam.`,
    { row, beamSize: search.beamSize },
  );
}

/**
 * Whole outputs, without one that is a better one but for what follows the end token. Where a request cuts them comes later,
 * so that it has no say in which is best.
 */
function distinctOutputs(found: readonly ScoredOutput[], endTokenId: number): Found[] {
  const seen = new Set<string>();
  return found.flatMap((scored) => {
    const { tokenIds: output } = cutOutput(scored.tokenIds, endTokenId, NO_LIMITS);
    return seen.size < seen.add(output.join()).size ? [{ ...scored, output }] : [];
  });
}
