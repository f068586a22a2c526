import {
  assertInteger,
  assertLattice,
  assertNumber,
  bestCanvasTokens,
  brokenPrediction,
  type CanvasModel,
  type CanvasReviseEvent,
  type Decoder,
  ForetokenError,
  type LatticeModel,
  refuseOutputPrefixes,
  type TokenSource,
} from '@foretoken/core';
import { type CanvasDraft, canvasDecoder, type Refinement } from './canvas-decoder.js';
import { BEST } from './proposals.js';
import { highest, RefinedCanvas } from './refined-canvas.js';

export interface MaskCtcOptions<Source> {
  /** The CTC model that drafts; where it shares the canvas model's encoder, each source is encoded once. */
  readonly lattice: LatticeModel<Source>;
  /**
   * How a draft is read off its lattice, such as `ctcGreedy` or `ctcPrefixBeam` of @foretoken/one-shot; how sure it is of each
   * token is what its `canvas-revise` events say.
   */
  readonly search: Decoder<LatticeModel<Source>>;
  /** Draft tokens of a lower probability than this are masked, in `[0, 1]` (default 0.5). */
  readonly threshold?: number;
  /** Forwards in which the masked tokens are decided, the most confident first (default 4). */
  readonly iterations?: number;
}

const NAME = 'mask-ctc';

/**
 * Mask-CTC: the best output of a CTC model says how long the output is and most of its tokens; those it was unsure of are
 * masked and filled in by the canvas model, which sees their neighbours (Higuchi et al., 2020, "Mask CTC", section 3.2).
 *
 * Of a DAG lattice the draft may be just as well. Throws `INVALID_ARGUMENT`; decoding throws `UNSUPPORTED_CAPABILITY` for a
 * lattice that the search cannot read, `INVALID_ARGUMENT` for one of another vocabulary, `LENGTH_LIMIT` for a draft longer than a canvas, and `RUNTIME_FAILURE` for scores that are not
 * numbers.
 */
export function maskCtc<Source = TokenSource>(options: MaskCtcOptions<Source>): Decoder<CanvasModel<Source>> {
  const { threshold = 0.5, iterations = 4 } = options;
  assertNumber('threshold', threshold, 0, 1);
  assertInteger('iterations', iterations, 1, Number.MAX_SAFE_INTEGER);
  return canvasDecoder({
    name: NAME,
    draft: latticeDraft(options),
    output: BEST,
    scored: true,
    *refine(canvas: RefinedCanvas): Refinement {
      const { length, logProbs, tokenIds, maskTokenId } = canvas;
      const sure = (position: number): boolean => (logProbs[position] as number) >= Math.log(threshold);
      let masked = canvas.free.filter((position) => !sure(position) || tokenIds[position] === maskTokenId);
      canvas.mask(masked);
      for (let left = iterations; left > 0 && masked.length > 0; left--) {
        const [prediction] = yield [canvas.without(masked)];
        const proposal = bestCanvasTokens(prediction!, length, maskTokenId);
        const decided = highest(masked, proposal.logProbs, Math.ceil(masked.length / left));
        canvas.decide(decided, proposal);
        masked = masked.filter((position) => !decided.includes(position));
      }
    },
  });
}

/** Canvases as a search of a lattice has them. */
function latticeDraft<Source>({ lattice, search }: MaskCtcOptions<Source>): CanvasDraft<Source> {
  return {
    ...(lattice.encoder === undefined ? {} : { encoder: lattice.encoder }),
    check({ vocabulary }, request) {
      assertLattice(search, lattice);
      refuseOutputPrefixes(NAME, request);
      const { size, endTokenId } = lattice.vocabulary;
      if (size === vocabulary.size && endTokenId === vocabulary.endTokenId) return;
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `lattice has ${size} tokens and the end token ${endTokenId}, but ${vocabulary.size} and ${vocabulary.endTokenId} are required.`,
        { option: 'lattice', received: size, required: vocabulary.size },
      );
    },
    async canvases(model, sources, { encoding, signal }) {
      const { vocabulary, supports } = lattice;
      const shared: LatticeModel<Source> = {
        vocabulary,
        supports,
        emit: (rows, options) => lattice.emit(rows, { ...options, ...(encoding === undefined ? {} : { encoding }) }),
      };
      const request = { sources, ...(signal === undefined ? {} : { signal }) };
      const canvases: RefinedCanvas[] = [];
      for await (const event of search.decode(shared, request as Parameters<typeof search.decode>[1])) {
        if (event.type === 'canvas-revise') canvases[event.row] = drafted(event, model);
      }
      const missing = sources.findIndex((_, row) => canvases[row] === undefined);
      if (missing >= 0) throw brokenPrediction(missing, 'no draft');
      return canvases;
    },
  };
}

/** A revision as a canvas; what the search says nothing about is as good as masked. */
function drafted<Source>({ tokenIds, logProbs }: CanvasReviseEvent, model: CanvasModel<Source>): RefinedCanvas {
  const known = logProbs ?? new Float32Array(tokenIds.length).fill(Number.NEGATIVE_INFINITY);
  return RefinedCanvas.of({ tokenIds, logProbs: known }, model);
}
