import type { Decoder } from '@foretoken/core';
import { assertCanvas } from '@foretoken/core/kit';
import { nat } from '@foretoken/one-shot';
import {
  easyFirst,
  insertion,
  levenshtein,
  maskCtc,
  maskedDiffusion,
  maskPredict,
  skeletonFirst,
  withHints,
} from '@foretoken/refine';
import type { PartModel } from '../strategy-names.js';
import { type Binding, type Decode, define, latticeSearch, partFor, searchedHints as searched } from './definition.js';
import { HINTS, ITERATIONS, LENGTH, PER_GAP, PREDICTED_LENGTHS, RESCORING, TEMPERATURE } from './shared-options.js';
import { choice, flag, integer, number } from './strategy-option.js';

const ORDERS = ['confidence', 'margin', 'entropy', 'entropy-bounded', 'left-to-right', 'random'] as const;

export const CANVAS = {
  nat: define({
    options: {
      ...PREDICTED_LENGTHS,
      deduplicate: flag('collapse runs of equal tokens'),
      noAdjacentRepeats: flag('the best canvas of which no two neighbours are equal'),
      alternatives: integer('best tokens to tell of each position, in --json and --jsonl (default 0)'),
      ...RESCORING,
      ...HINTS,
    },
    bind: (binding, { searchedHints, rescoring, ...given }) => {
      const model = rescoring && partFor(binding, 'autoregressive');
      return fillWith(binding, nat({ ...given, rescoring: model && { model } }), searchedHints);
    },
  }),
  'mask-predict': define({
    options: {
      ...PREDICTED_LENGTHS,
      ...ITERATIONS,
      schedule: choice(['linear', 'cosine'], 'how fewer positions are masked: linear (default) or cosine'),
      minMasked: integer('positions masked where the schedule says none: 0 (default) or 1'),
      adaptiveStop: flag('stop as soon as an iteration changes nothing'),
      ...HINTS,
    },
    // The decoder checks that it is 0 or 1.
    bind: (binding, { searchedHints, minMasked, ...given }) =>
      fillWith(binding, maskPredict({ ...given, minMasked: minMasked as 0 | 1 | undefined }), searchedHints),
  }),
  'mask-ctc': define({
    options: {
      threshold: number('tokens of the CTC model less probable than this are masked (default 0.5)'),
      ...ITERATIONS,
    },
    bind: (binding, given) => fillWith(binding, maskCtc({ ...given, initial: latticeSearch(binding) })),
  }),
  'easy-first': define({
    options: {
      ...PREDICTED_LENGTHS,
      ...ITERATIONS,
      levels: integer('positions are ranked into so many levels (default: one each)'),
      ...HINTS,
    },
    bind: (binding, { searchedHints, ...given }) => fillWith(binding, easyFirst(given), searchedHints),
  }),
  'skeleton-first': define({
    options: {
      ...PREDICTED_LENGTHS,
      ...ITERATIONS,
      share: number('share of positions that make the skeleton (default 0.5)'),
      revise: flag('predict the skeleton anew at the end'),
      ...HINTS,
    },
    bind: (binding, { searchedHints, ...given }) => fillWith(binding, skeletonFirst(given), searchedHints),
  }),
  'masked-diffusion': define({
    options: {
      ...LENGTH,
      ...ITERATIONS,
      order: choice(ORDERS, `${ORDERS.join(', ')} (default: confidence)`),
      entropyBound: number('entropy decided an iteration besides the largest, in nats'),
      blockLength: integer('positions decided before any later one (default: all)'),
      remask: number('share of earlier decisions each iteration takes back (default 0)'),
      ...TEMPERATURE,
      ...HINTS,
    },
    request: ['seed'],
    bind: (binding, { searchedHints, ...given }) => fillWith(binding, maskedDiffusion(given), searchedHints),
  }),
} as const;

export const EDIT = {
  levenshtein: define({
    options: {
      ...ITERATIONS,
      ...PER_GAP,
      deletionThreshold: number('delete what is more probably deleted than this (default 0.5)'),
      fromCtc: flag("edit the output of the folder's CTC model"),
      ...HINTS,
    },
    request: ['initialOutputs'],
    bind: (binding, { searchedHints, fromCtc, ...given }) =>
      editWith(binding, () => levenshtein({ ...given, initial: fromCtc && latticeSearch(binding) }), searchedHints),
  }),
  insertion: define({
    options: { ...ITERATIONS, ...PER_GAP, ...HINTS },
    bind: (binding, { searchedHints, ...given }) => editWith(binding, () => insertion(given), searchedHints),
  }),
} as const;

function fillWith(binding: Binding, decoder: Decoder<PartModel<'canvas'>>, searchedHints?: boolean): Decode {
  const canvas = partFor(binding, 'canvas');
  const filled = searchedHints === true ? withHints(canvas, searched(binding)) : canvas;
  assertCanvas(decoder, filled);
  return (request) => decoder.decode(filled, request);
}

function editWith(binding: Binding, make: () => Decoder<PartModel<'edit'>>, searchedHints?: boolean): Decode {
  const edit = partFor(binding, 'edit');
  const edited = searchedHints === true ? withHints(edit, searched(binding)) : edit;
  const decoder = make();
  return (request) => decoder.decode(edited, request);
}
