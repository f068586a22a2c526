import type { AutoregressiveModel, OpenOptions } from '@foretoken/core';
import { cutOutput } from '@foretoken/core/kit';
import { scoreInParts } from '../rescoring/score-with-model.js';
import type { FilledCanvas, FilledRows } from './fill-at-once.js';

/**
 * The canvases with other scores: the autoregressive model's natural-log probability of the output and its end token, if
 * it has one, divided by the number of both, of all candidates of all rows in one forward where they fit (noisy parallel decoding; Gu et al.,
 * 2018, section 4). One that the model has no positions for is not chosen; `LENGTH_LIMIT` where it has them for none of a row.
 */
export async function rescored<Source>(
  model: AutoregressiveModel<Source>,
  sources: readonly Source[],
  rows: readonly (readonly FilledCanvas[])[],
  open: OpenOptions,
): Promise<FilledRows> {
  const { endTokenId } = model.vocabulary;
  // Whole outputs, so that where a request cuts them has no say in which is best.
  const outputs = rows.map((row) => row.map(({ tokenIds }) => cutOutput(tokenIds, endTokenId, {}).tokenIds));
  const { logProbs, forwards } = await scoreInParts(model, sources, outputs, open, 0, true);
  const ranked = rows.map((canvases, row) =>
    canvases.map((canvas, index) => {
      const output = outputs[row]?.[index];
      const scored = output.length + (endTokenId === undefined ? 0 : 1);
      return { ...canvas, score: logProbs[row]?.[index] / Math.max(scored, 1) };
    }),
  );
  return { rows: ranked, forwards };
}
