import {
  type CtcLattice,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  type LatticeModel,
  type Requirements,
  type TokenSource,
} from '@foretoken/core';
import { assertDecode, type CtcAlignment, commonEncoding, ctcAlignment, rowCuts, Yielder } from '@foretoken/core/kit';
import { OutputEnds } from '../output-ends.js';
import { assertRescorer } from '../rescoring/rescorer.js';
import { type Candidate, rowEvents } from '../row-events.js';
import { partsOf } from '../source-parts.js';
import { type CtcPrefixBeamOptions, prefixBeamSettings, searchOptions } from './beam-options.js';
import { type Rescorable, rescored } from './ctc-rescoring.js';
import { emitCtc } from './emit-ctc.js';
import { ctcPrefixSearch, type PrefixSearchOptions, type ScoredOutput } from './prefix-search.js';

const NAME = 'ctc-prefix-beam';
/** Source positions whose encoding, lattices and candidates are kept at once where a model scores anew. */
const MAX_POSITIONS = 4096;

/**
 * CTC prefix beam search: the most probable outputs by the sum over all their alignments, optionally with a language model,
 * hot words and other bonuses, after a single forward (Graves and Jaitly, 2014, section 4; Hannun et al., 2014). Alignments
 * say the same where end token, limit or stops of the request cut them to the same output.
 *
 * A hypothesis' `logProb` is the natural-log probability of its tokens over all their alignments, `score` that
 * with all bonuses, or what rescoring made of it. Throws `INVALID_ARGUMENT`; decoding also for a lattice that breaks its
 * contract, `INVALID_SCORES` for one, or a language model, that scores with NaN or +Infinity, `UNSUPPORTED_CAPABILITY` where
 * a model offers too little, and `UNSATISFIABLE_CONSTRAINT` where lattice, language model or `noRepeatNgramSize` leave no output.
 */
export function ctcPrefixBeam<Source = TokenSource>(
  options: CtcPrefixBeamOptions<Source> = {},
): Decoder<LatticeModel<Source>> {
  const settings = prefixBeamSettings(options);
  const { alignments, lattices: reported, beamSize, candidates, hypotheses, rescoring } = settings;
  const requires: Requirements = { model: 'lattice', kinds: ['ctc'], candidates };
  return {
    name: NAME,
    requires,
    async *decode(model: LatticeModel<Source>, given: DecodeRequest<Source>) {
      const began = performance.now();
      const request = assertDecode({ name: NAME, requires }, model, given);
      const search = searchOptions(settings, model.vocabulary);
      if (rescoring !== undefined) {
        assertRescorer('rescoring.model', rescoring.model, model.vocabulary, beamSize > 1);
      }
      const { endTokenId } = model.vocabulary;
      const yielder = new Yielder(request.signal);
      const endsOf = (row: number): OutputEnds => new OutputEnds(rowCuts(request, row), endTokenId);
      const counts = { forwards: 0, otherForwards: rescoring === undefined ? undefined : 0 };
      const searched = async function* (lattices: readonly CtcLattice[], first: number): AsyncGenerator<Found[]> {
        for (const [index, lattice] of lattices.entries()) {
          yield await yielder.run(searchRow(lattice, search, endsOf(first + index), first + index));
        }
      };
      const rows = async function* (): AsyncGenerator<Candidate[]> {
        if (rescoring === undefined) {
          const lattices = await emitCtc(model, request, { k: candidates, yielder });
          counts.forwards = 1;
          let row = 0;
          for await (const found of searched(lattices, 0)) {
            yield candidatesOf(found, lattices[row++], endTokenId);
          }
          return;
        }
        for (const { first, part: sources } of partsOf(request.sources, MAX_POSITIONS)) {
          const { signal } = request;
          const encoding = await commonEncoding(model, rescoring.model, sources, signal);
          try {
            const options = { k: candidates, yielder, firstRow: first, encoding };
            const lattices = await emitCtc(model, { ...request, sources }, options);
            counts.otherForwards = (counts.otherForwards ?? 0) + 1;
            const found: Found[][] = [];
            for await (const row of searched(lattices, first)) found.push(row);
            const shared = {
              encoding,
              signal,
            };
            const ranked = await rescored(rescoring, sources, found, shared, first);
            counts.forwards += ranked.forwards;
            for (const [index, row] of ranked.rows.entries()) {
              if (yielder.due()) await yielder.yield();
              yield candidatesOf(row, lattices[index], endTokenId);
            }
          } finally {
            encoding?.dispose();
          }
        }
      };
      yield* rowEvents(rows(), request, { endTokenId, began, counts });
    },
  };

  function candidatesOf(found: readonly Found[], lattice: CtcLattice, endTokenId: number | undefined): Candidate[] {
    return found.slice(0, hypotheses).map((scored, index): Candidate => {
      const { tokenIds, logProb, score, over, endLogProb } = scored;
      // The best output's frames tell how sure each of its tokens is.
      const alignment = alignments || index === 0 ? alignmentOf(lattice, scored, endTokenId) : undefined;
      const ended = !over && endLogProb > logProb - Math.LN2;
      return {
        tokenIds: ended && endTokenId !== undefined ? [...tokenIds, endTokenId] : tokenIds,
        logProb,
        score,
        logProbs: alignment === undefined ? undefined : Array.from(alignment.logProbs),
        alignment: alignments ? alignment : undefined,
        lattice: reported ? lattice : undefined,
      };
    });
  }
}

/** What a search found, in the shape that is scored anew. */
type Found = ScoredOutput & Rescorable;

function* searchRow(
  lattice: CtcLattice,
  search: PrefixSearchOptions,
  ends: OutputEnds,
  row: number,
): Generator<void, Found[]> {
  const found = yield* ctcPrefixSearch(lattice, search, ends, row);
  if (found.length > 0) return found.map((scored) => ({ ...scored, output: scored.tokenIds }));
  throw new ForetokenError(
    'UNSATISFIABLE_CONSTRAINT',
    `Prefix beam search found no output of row ${row} that language model and noRepeatNgramSize allow; widen the beam.`,
    { row, beamSize: search.beamSize },
  );
}

/** The best of all alignments that say an output, those that are cut behind it included. */
function alignmentOf(
  lattice: CtcLattice,
  { tokenIds, over, endLogProb }: ScoredOutput,
  endTokenId: number | undefined,
): CtcAlignment | undefined {
  const whole = ctcAlignment(lattice, tokenIds, over);
  // No alignment is more probable than all of its kind together.
  if (endTokenId === undefined || endLogProb <= (whole?.score ?? Number.NEGATIVE_INFINITY)) return whole;
  const cut = ctcAlignment(lattice, [...tokenIds, endTokenId], true);
  return cut !== undefined && (whole === undefined || cut.score > whole.score) ? cut : whole;
}
