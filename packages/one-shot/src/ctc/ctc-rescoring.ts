import type { AutoregressiveModel, OpenOptions } from '@foretoken/core';
import { fields, noTokenLeft, number, type OptionReader, withMethods } from '@foretoken/core/kit';
import { scoreInParts } from '../rescoring/score-with-model.js';

/** An autoregressive model that has the last word on what a search found. */
export interface CtcRescoring<Source> {
  /** Of the lattice model's vocabulary; a common encoder runs once. */
  readonly model: AutoregressiveModel<Source>;
  /** Weight of its natural-log probability, the end token's included (default 1). */
  readonly weight?: number | undefined;
  /** Weight of the search's own score (default 1). */
  readonly searchWeight?: number | undefined;
  /** Natural-log bonus of each output token (default 0). */
  readonly lengthBonus?: number | undefined;
}

/** An output to score, as it will be returned. */
export interface Rescorable {
  readonly output: ArrayLike<number>;
  readonly score: number;
}

export const rescoring: OptionReader<CtcRescoring<never>> = fields<CtcRescoring<never>>(
  {
    model: withMethods('an autoregressive model', 'open'),
    weight: number(0, 1e6),
    searchWeight: number(0, 1e6),
    lengthBonus: number(-1e6, 1e6),
  },
  ['model'],
);

/** Rows in their new order, and the forwards of the model that scored them. */
export interface Rescored<Item> {
  readonly rows: Item[][];
  readonly forwards: number;
}

/**
 * Scores every row's candidates and puts them in their new order, ties in the old. What the model rules out is left out.
 * `firstRow` is the first source's row, for errors.
 *
 * Throws `UNSATISFIABLE_CONSTRAINT` where it rules out all of a row, and `LENGTH_LIMIT` where it has positions for none of them.
 */
export async function rescored<Source, Item extends Rescorable>(
  { model, weight = 1, searchWeight = 1, lengthBonus = 0 }: CtcRescoring<Source>,
  sources: readonly Source[],
  rows: readonly (readonly Item[])[],
  options: OpenOptions,
  firstRow: number,
): Promise<Rescored<Item>> {
  const outputs = rows.map((candidates) => candidates.map(({ output }) => output));
  const { logProbs, forwards } = await scoreInParts(model, sources, outputs, options, firstRow, true);
  const ranked = rows.map((candidates, row) => {
    const possible = candidates
      .map((candidate, index) => {
        const logProb = logProbs[row]?.[index];
        const own = searchWeight * candidate.score + lengthBonus * candidate.output.length;
        // No weight means no say, also where the model thinks something impossible.
        return { ...candidate, score: own + (weight === 0 ? 0 : weight * logProb) };
      })
      .filter(({ score }) => score > Number.NEGATIVE_INFINITY);
    if (possible.length === 0) throw noTokenLeft(firstRow + row, 0);
    return possible.sort((a, b) => b.score - a.score);
  });
  return { rows: ranked, forwards };
}
