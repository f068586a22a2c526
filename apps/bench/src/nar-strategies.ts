import { beamSearch } from '@foretoken/beam';
import type { CanvasModel, DecodeEvent, DecodeRequest, Decoder, LatticeModel, TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import type { LanguageModel } from '@foretoken/language-models';
import {
  type CtcRescoring,
  ctcGreedy,
  ctcPrefixBeam,
  dagBeam,
  dagGreedy,
  dagJointViterbi,
  dagLookahead,
  dagViterbi,
  type NatOptions,
  nat,
} from '@foretoken/one-shot';
import {
  easyFirst,
  insertion,
  type LatticeSearch,
  levenshtein,
  type MaskPredictOptions,
  maskCtc,
  maskedDiffusion,
  maskPredict,
  skeletonFirst,
  withHints,
} from '@foretoken/refine';
import type { NarModelName, PartName, Parts } from './nar-models.js';

export type Decode = (request: DecodeRequest<TokenSource>) => AsyncIterable<DecodeEvent>;

/** How an output comes about: token by token, in one forward, in one that an autoregressive model judges, in several. */
export type NarKind = 'autoregressive' | 'one-shot' | 'rescored' | 'iterative';

/** One row of the bench. */
export interface NarStrategy {
  readonly name: string;
  readonly kind: NarKind;
  readonly model: NarModelName;
  readonly needs: readonly PartName[];
  /** Called only with a folder that has all that is needed. */
  readonly open: (parts: Parts) => Decode;
}

type Opening = NarStrategy['open'];

/** A decoder of sentences, with a model that it fits. */
interface SentenceDecoder<Model> {
  decode(model: Model, request: DecodeRequest<TokenSource>): AsyncIterable<DecodeEvent>;
}

const way =
  <Model>(decoder: SentenceDecoder<Model>, model: Model): Decode =>
  (request) =>
    decoder.decode(model, request);

function row(
  name: string,
  kind: NarKind,
  needs: readonly PartName[],
  open: Opening,
  model: NarModelName = 'shipped',
): NarStrategy {
  return { name, kind, model, needs, open };
}

const AR: readonly PartName[] = ['autoregressive'];
const greedily: Opening = ({ autoregressive }) => way(greedy(), autoregressive);
const beam4: Opening = ({ autoregressive }) => way(beamSearch({ beamSize: 4 }), autoregressive);
const ctcGreedily: Opening = ({ lattice }) => way(ctcGreedy(), lattice);
const natWith =
  (options: NatOptions): Opening =>
  ({ canvas }) =>
    way(nat(options), canvas);
const masked =
  (options: MaskPredictOptions): Opening =>
  ({ canvas }) =>
    way(maskPredict(options), canvas);

/** The weight was tuned on validation data: without it the surest of five lengths is too often a short one. */
const WEIGHTED = { lengthBeam: 5, lengthWeight: 0.1 };

/** Weight and bonus were tuned on validation data: they gave 38.3 BLEU there, against 36.6 of the best path. */
const ngramFusion = (model: LanguageModel) => ({ languageModel: { model, weight: 0.2 }, lengthBonus: 1.2 });

function withNgrams(
  languageModel: LanguageModel,
  rescoring?: CtcRescoring<TokenSource>,
): Decoder<LatticeModel<TokenSource>> {
  const options = ngramFusion(languageModel);
  return ctcPrefixBeam(rescoring === undefined ? options : { ...options, rescoring });
}

/** Pruned as far as validation data hardly noticed: 37.75 BLEU of 37.82 on the fast lattice. */
const PRUNED = { beamSize: 6, candidates: 4, minTokenLogProb: -4, beamThreshold: 4 };
const withNgramsPruned = (languageModel: LanguageModel): Decoder<LatticeModel<TokenSource>> =>
  ctcPrefixBeam({ ...ngramFusion(languageModel), ...PRUNED });

const SEARCHED: readonly PartName[] = ['lattice', 'languageModel'];
/** A search with n-grams, whose outputs canvases read as hints. */
const searched = ({ lattice, languageModel }: Parts): LatticeSearch<TokenSource> => ({
  lattice,
  search: ctcPrefixBeam({ ...ngramFusion(languageModel), ...PRUNED, alignments: true }),
});
/** A row of a canvas strategy that reads such hints. */
function hinted(name: string, kind: NarKind, decoder: Decoder<CanvasModel<TokenSource>>): NarStrategy {
  return row(name, kind, ['canvas', ...SEARCHED], (parts) => way(decoder, withHints(parts.canvas, searched(parts))));
}

/** Every row, baselines first. Options are the packages' defaults where a name says nothing else. */
export const NAR_STRATEGIES: readonly NarStrategy[] = [
  row('greedy', 'autoregressive', AR, greedily),
  row('beam4', 'autoregressive', AR, beam4),
  row('deep-shallow-greedy', 'autoregressive', AR, greedily, 'deep-shallow'),
  row('deep-shallow-beam4', 'autoregressive', AR, beam4, 'deep-shallow'),

  row('ctc-greedy', 'one-shot', ['lattice'], ctcGreedily),
  row('ctc-prefix-beam', 'one-shot', ['lattice'], ({ lattice }) => way(ctcPrefixBeam(), lattice)),
  row('ctc-prefix-beam-ngrams', 'one-shot', ['lattice', 'languageModel'], ({ lattice, languageModel }) =>
    way(withNgrams(languageModel), lattice),
  ),
  row('ctc-prefix-beam-no-repeat', 'one-shot', ['lattice'], ({ lattice }) =>
    way(ctcPrefixBeam({ noRepeatNgramSize: 2 }), lattice),
  ),
  row('ctc-prefix-beam-rescored', 'rescored', ['lattice', 'autoregressive'], ({ lattice, autoregressive }) =>
    way(ctcPrefixBeam({ rescoring: { model: autoregressive } }), lattice),
  ),
  row(
    'ctc-prefix-beam-ngrams-rescored',
    'rescored',
    ['lattice', 'languageModel', 'autoregressive'],
    ({ lattice, languageModel, autoregressive }) =>
      way(withNgrams(languageModel, { model: autoregressive, searchWeight: 0.5, lengthBonus: 0.3 }), lattice),
  ),
  row('ctc-fast-greedy', 'one-shot', ['fastLattice'], ({ fastLattice }) => way(ctcGreedy(), fastLattice)),
  row('ctc-fast-ngrams-pruned', 'one-shot', ['fastLattice', 'languageModel'], ({ fastLattice, languageModel }) =>
    way(withNgramsPruned(languageModel), fastLattice),
  ),
  row('ctc-raw', 'one-shot', ['lattice'], ctcGreedily, 'raw'),
  row('ctc-distilled', 'one-shot', ['lattice'], ctcGreedily, 'distilled'),

  row('nat', 'one-shot', ['canvas'], natWith({})),
  row('nat-lengths-5', 'one-shot', ['canvas'], natWith({ lengthBeam: 5 })),
  row('nat-lengths-5-rescored', 'rescored', ['canvas', 'autoregressive'], ({ canvas, autoregressive }) =>
    way(nat({ lengthBeam: 5, rescoring: { model: autoregressive } }), canvas),
  ),
  row('nat-deduplicate', 'one-shot', ['canvas'], natWith({ deduplicate: true })),
  row('nat-no-repeat', 'one-shot', ['canvas'], natWith({ noAdjacentRepeats: true })),
  hinted('nat-searched-hints', 'one-shot', nat()),
  hinted('nat-searched-hints-lengths-5-weighted', 'one-shot', nat(WEIGHTED)),
  row('nat-raw', 'one-shot', ['canvas'], natWith({}), 'raw'),
  row('nat-distilled', 'one-shot', ['canvas'], natWith({}), 'distilled'),

  row('dag-greedy', 'one-shot', ['dag'], ({ dag }) => way(dagGreedy(), dag)),
  row('dag-lookahead', 'one-shot', ['dag'], ({ dag }) => way(dagLookahead(), dag)),
  row('dag-viterbi', 'one-shot', ['dag'], ({ dag }) => way(dagViterbi(), dag)),
  row('dag-joint-viterbi', 'one-shot', ['dag'], ({ dag }) => way(dagJointViterbi(), dag)),
  row('dag-beam', 'one-shot', ['dag'], ({ dag }) => way(dagBeam(), dag)),
  row('dag-beam-ngrams', 'one-shot', ['dag', 'languageModel'], ({ dag, languageModel }) =>
    way(dagBeam({ languageModel: { model: languageModel } }), dag),
  ),

  row('mask-predict-4', 'iterative', ['canvas'], masked({ iterations: 4 })),
  row('mask-predict-4-lengths-5', 'iterative', ['canvas'], masked({ iterations: 4, lengthBeam: 5 })),
  row('mask-predict-4-lengths-5-weighted', 'iterative', ['canvas'], masked({ iterations: 4, ...WEIGHTED })),
  row('mask-predict-10', 'iterative', ['canvas'], masked({ iterations: 10 })),
  row('mask-predict-10-lengths-5', 'iterative', ['canvas'], masked({ iterations: 10, lengthBeam: 5 })),
  row('mask-predict-10-lengths-5-weighted', 'iterative', ['canvas'], masked({ iterations: 10, ...WEIGHTED })),
  hinted('mask-predict-4-searched-hints', 'iterative', maskPredict({ iterations: 4 })),
  hinted('mask-predict-4-searched-hints-lengths-5-weighted', 'iterative', maskPredict({ iterations: 4, ...WEIGHTED })),
  hinted('mask-predict-10-searched-hints', 'iterative', maskPredict({ iterations: 10 })),
  hinted(
    'mask-predict-10-searched-hints-lengths-5-weighted',
    'iterative',
    maskPredict({ iterations: 10, ...WEIGHTED }),
  ),
  row('mask-ctc', 'iterative', ['canvas', 'lattice'], ({ canvas, lattice }) =>
    way(maskCtc({ initial: { lattice, search: ctcGreedy({ alignments: true }) } }), canvas),
  ),
  row('mask-ctc-ngrams', 'iterative', ['canvas', ...SEARCHED], (parts) =>
    way(maskCtc({ initial: searched(parts), threshold: 0.3 }), parts.canvas),
  ),
  row('easy-first', 'iterative', ['canvas'], ({ canvas }) => way(easyFirst(), canvas)),
  row('skeleton-first', 'iterative', ['canvas'], ({ canvas }) => way(skeletonFirst(), canvas)),
  row('masked-diffusion-4-steps', 'iterative', ['canvas'], ({ canvas }) =>
    way(maskedDiffusion({ iterations: 4 }), canvas),
  ),
  row('masked-diffusion-4-steps-margin', 'iterative', ['canvas'], ({ canvas }) =>
    way(maskedDiffusion({ iterations: 4, order: 'margin' }), canvas),
  ),
  row('masked-diffusion-4-steps-blocks', 'iterative', ['canvas'], ({ canvas }) =>
    way(maskedDiffusion({ iterations: 4, blockLength: 8 }), canvas),
  ),
  row('masked-diffusion-entropy-bounded', 'iterative', ['canvas'], ({ canvas }) =>
    way(maskedDiffusion({ order: 'entropy-bounded', entropyBound: 1 }), canvas),
  ),
  row('masked-diffusion-one-a-step', 'iterative', ['canvas'], ({ canvas }) => way(maskedDiffusion(), canvas)),
  row('levenshtein', 'iterative', ['edit'], ({ edit }) => way(levenshtein(), edit)),
  row('levenshtein-deletion-70', 'iterative', ['edit'], ({ edit }) =>
    way(levenshtein({ deletionThreshold: 0.7 }), edit),
  ),
  row('levenshtein-searched-hints', 'iterative', ['edit', ...SEARCHED], (parts) =>
    way(levenshtein(), withHints(parts.edit, searched(parts))),
  ),
  row('levenshtein-ctc', 'iterative', ['edit', 'lattice'], ({ edit, lattice }) =>
    way(levenshtein({ initial: { lattice, search: ctcGreedy({ alignments: true }) } }), edit),
  ),
  row('levenshtein-ctc-ngrams', 'iterative', ['edit', ...SEARCHED], (parts) =>
    way(levenshtein({ initial: searched(parts) }), parts.edit),
  ),
  row('insertion', 'iterative', ['edit'], ({ edit }) => way(insertion(), edit)),
];
