import { type CanvasModel, type Decoder, ForetokenError, type TokenSource } from '@foretoken/core';
import {
  bestCanvasTokens,
  callback,
  checkOptions,
  flag,
  integer,
  LENGTH_OPTIONS,
  type LengthOptions,
  number,
  type OptionTable,
} from '@foretoken/core/kit';
import { canvasDecoder, type Refinement } from './canvas-decoder.js';
import { BEST, type Best } from './proposals.js';
import { highest, type RefinedCanvas } from './refined-canvas.js';

/** Options of `skeletonFirst`. */
export interface SkeletonFirstOptions extends LengthOptions {
  /** Share of the positions that make the skeleton, rounded up (default 0.5). */
  readonly share?: number | undefined;
  /** Which tokens may be part of the skeleton, such as content words; default: all. */
  readonly content?: ((tokenId: number) => boolean) | undefined;
  /** Forwards in which the rest is filled in, the most confident positions first (default 1). */
  readonly iterations?: number | undefined;
  /** In the end predict the skeleton anew, given all that was filled in around it (default false). */
  readonly revise?: boolean | undefined;
}

const OPTIONS: OptionTable<SkeletonFirstOptions> = {
  ...LENGTH_OPTIONS,
  share: number(0, 1),
  content: callback<(tokenId: number) => boolean>(flag),
  iterations: integer(1),
  revise: flag,
};

/**
 * Skeleton first: of a first fill only the most confident positions stay, then the rest is filled in around them; in an
 * order of its own, not left to right, and the skeleton may be revised at the end.
 *
 * The first step and the order are those of mask-predict (Ghazvininejad et al., 2019); what is decided stays until the
 * revision. Throws as `maskPredict` does.
 */
export function skeletonFirst<Source = TokenSource>(options: SkeletonFirstOptions = {}): Decoder<CanvasModel<Source>> {
  options = checkOptions('skeletonFirst', options, OPTIONS);
  const { share = 0.5, content = () => true, iterations = 1, revise = false } = options;
  if (revise && (share === 0 || (share === 1 && options.content === undefined))) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `revise has no effect with share ${share}: either no skeleton or nothing around it. Leave one of them out.`,
      { option: 'revise', received: revise, share },
    );
  }
  return canvasDecoder({
    ...options,
    name: 'skeleton-first',
    output: BEST,
    scored: true,
    *refine(canvas: RefinedCanvas): Refinement<Best> {
      const { free, length, maskTokenId } = canvas;
      if (free.length === 0) return;
      const [first] = yield [canvas.without(free)];
      canvas.decide(free, bestCanvasTokens(first, length, maskTokenId));
      const isSolid = (tokenId: number): boolean => tokenId !== maskTokenId && content(tokenId);
      const solid = free.filter((position) => isSolid(canvas.tokenIds[position]));
      const skeleton = highest(solid, canvas.logProbs, Math.ceil(share * free.length));
      const kept = new Set(skeleton);
      let open = free.filter((position) => !kept.has(position));
      for (let iteration = 0; iteration < iterations && open.length > 0; iteration++) {
        const [prediction] = yield [canvas.without(open)];
        canvas.decide(open, bestCanvasTokens(prediction, length, maskTokenId));
        open = highest(open, canvas.logProbs, open.length).slice(Math.ceil(open.length / (iterations - iteration)));
      }
      if (!revise || skeleton.length === 0 || skeleton.length === free.length) return;
      const [revision] = yield [canvas.without(skeleton)];
      canvas.decide(skeleton, bestCanvasTokens(revision, length, maskTokenId));
    },
  });
}
