import { type Canvas, type CanvasModel, type CanvasSession, ForetokenError } from '@foretoken/core';
import {
  assertCanvas,
  assertOutputTokens,
  bestCanvasTokens,
  brokenPrediction,
  checkOptions,
  flag,
  forwardParts,
  joinTokens,
  listOf,
  noTokenLeft,
  type OptionTable,
  opened,
  signal as readSignal,
  sources as readSources,
  tokens,
  unsupported,
} from '@foretoken/core/kit';
import { type Disagreement, disagreementOf } from './disagreement.js';

/** Options of `canvasDisagreement`. */
export interface CanvasDisagreementOptions {
  /** The model's canvases end with the end token: it stands after each output and is not counted (default false). */
  readonly withEndToken?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionTable<CanvasDisagreementOptions> = { withEndToken: flag, signal: readSignal };

/** Sources of one session: a bound on memory, without effect on what is counted. */
const SOURCES = 32;

/**
 * Share of output tokens that the model would choose otherwise if all other tokens were decided: each position alone is
 * masked and filled anew. One-shot decoding chose each token without knowing its neighbours, so where several good outputs
 * exist and neighbours were taken from different ones (the multimodality problem; Gu et al., 2018, section 3), this shows.
 *
 * `outputs` are token ids `[length]`, one a source, end tokens left out. Needs as many canvases as there are tokens. Throws
 * `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY` for a model without top-k output, `LENGTH_LIMIT`, `INVALID_SCORES`,
 * `UNSATISFIABLE_CONSTRAINT` where no token but the mask is possible, and whatever the model throws.
 */
export async function canvasDisagreement<Source>(
  model: CanvasModel<Source>,
  sources: readonly Source[],
  outputs: readonly Int32Array[],
  options: CanvasDisagreementOptions = {},
): Promise<Disagreement> {
  const requires = { model: 'canvas', outputs: ['topK'], lengths: false, candidates: 2 } as const;
  assertCanvas({ name: 'diagnose', requires }, model);
  const { withEndToken = false, signal } = checkOptions('canvasDisagreement', options, OPTIONS);
  readSources('sources', sources);
  listOf(tokens())('outputs', outputs);
  assertOnePerSource(sources, outputs);
  const { vocabulary, maskTokenId, maxLength } = model;
  const { endTokenId } = vocabulary;
  if (withEndToken && endTokenId === undefined) {
    throw unsupported('canvasDisagreement with withEndToken', 'an end token', 'Leave withEndToken out.');
  }
  for (const [row, output] of outputs.entries()) {
    assertOutputTokens('outputs', row, output, vocabulary, maskTokenId, maxLength - (withEndToken ? 1 : 0));
  }
  let positions = 0;
  let changed = 0;
  for (let start = 0; start < sources.length; start += SOURCES) {
    signal?.throwIfAborted();
    const someOutputs = outputs.slice(start, start + SOURCES);
    const session = opened('canvas', await model.open(sources.slice(start, start + SOURCES), { signal }));
    try {
      const places = someOutputs.flatMap((output, row) => {
        const whole = withEndToken && endTokenId !== undefined ? joinTokens(output, [endTokenId]) : output;
        return Array.from(output, (_, position) => ({ row, whole, position }));
      });
      for (const part of forwardParts(places, ({ whole }) => whole.length)) {
        const questions = part.map(({ row, whole, position }) => oneMasked(row, whole, position, maskTokenId));
        changed += await countChanged(session, questions, start, maskTokenId, signal);
      }
      positions += places.length;
    } finally {
      await session[Symbol.asyncDispose]();
    }
  }
  return disagreementOf(positions, changed);
}

/** A canvas with one undecided position, and the token that was chosen there. */
interface Question extends Canvas {
  readonly position: number;
  readonly chosen: number;
}

function oneMasked(row: number, output: Int32Array, position: number, maskTokenId: number): Question {
  const tokenIds = output.slice();
  tokenIds[position] = maskTokenId;
  return { row, tokenIds, position, chosen: output[position] };
}

async function countChanged(
  session: CanvasSession,
  questions: readonly Question[],
  firstRow: number,
  maskTokenId: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const predictions = await session.fill(questions, { kind: 'topK', k: 2 }, signal);
  return questions.filter(({ row, tokenIds, position, chosen }, index) => {
    const prediction = predictions[index];
    if (prediction === undefined) throw brokenPrediction(firstRow + row, 'no prediction');
    const ofBatch = { ...prediction, row: firstRow + row };
    const best = bestCanvasTokens(ofBatch, tokenIds.length, maskTokenId).tokenIds[position];
    if (best === maskTokenId) throw noTokenLeft(ofBatch.row, position);
    return best !== chosen;
  }).length;
}

function assertOnePerSource(sources: readonly unknown[], outputs: readonly Int32Array[]): void {
  if (sources.length === outputs.length) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `There are ${outputs.length} outputs for ${sources.length} sources; one each is required.`,
    { option: 'outputs', received: outputs.length, required: sources.length },
  );
}
