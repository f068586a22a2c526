import {
  type AutoregressiveModel,
  collect,
  type DecodeRequest,
  type DecodeStatistics,
  type Hypothesis,
  type SourceEncoder,
  type TokenSource,
} from '@foretoken/core';
import { type NatOptions, nat } from '@foretoken/one-shot';
import { type CanvasScore, type ScriptedCanvasModel, scriptedCanvasModel, scriptedModel } from '@foretoken/testkit';

/** Letters are tokens 1, 2, ...; `.` is the end token 0, `_` the mask. */
export const LETTERS = '.abcdefg_';
const MASK: number = LETTERS.indexOf('_');

function toText(tokenIds: Iterable<number>): string {
  return [...tokenIds].map((tokenId) => LETTERS[tokenId]).join('');
}

export function toTokens(text: string): Int32Array {
  return Int32Array.from(text, (letter) => LETTERS.indexOf(letter));
}

/** Log-probabilities of letters with percentages, as `a60b30`; all other letters share the rest. */
function distribution(entry: string): number[] {
  const named = new Map([...entry.matchAll(/(\D)(\d+)/g)].map(([, letter, share]) => [letter, Number(share) / 100]));
  const rest = 1 - [...named.values()].reduce((sum, share) => sum + share, 0);
  return [...LETTERS].map((letter) => Math.log(named.get(letter) ?? rest / (LETTERS.length - named.size)));
}

/** A model that says what stands at each position of each canvas in the table; `lengths` are percentages of 0, 1, ... */
export function tableModel(
  table: Readonly<Record<string, string>>,
  lengths?: readonly number[],
  maxLength = 16,
): ScriptedCanvasModel {
  const score: CanvasScore = (_, canvas, position) => {
    const entry = table[toText(canvas)]?.split(' ')[position];
    if (entry === undefined) throw new Error(`the canvas ${toText(canvas)} is not in the table`);
    return distribution(entry);
  };
  return scriptedCanvasModel({
    vocabularySize: LETTERS.length,
    maskTokenId: MASK,
    maxLength,
    score,
    lengths: lengths === undefined ? undefined : () => lengths.map((share) => Math.log(share / 100)),
  });
}

/** The canvases of each forward, as text. */
export function fillsOf(model: ScriptedCanvasModel): string[][] {
  return model.calls.flatMap((call) =>
    call.call === 'fill' ? [call.canvases.map(({ tokenIds }) => toText(tokenIds))] : [],
  );
}

/** A model of letters whose next token depends on how many there are: `table` has an entry for each. */
export function letterModel(
  table: readonly string[],
  supports = {},
  encoder?: SourceEncoder<TokenSource>,
): AutoregressiveModel<TokenSource> {
  return scriptedModel({
    encoder,
    vocabularySize: LETTERS.length,
    prefix: [8],
    supports,
    score: (_, output) => distribution(table[output.length] ?? '.99'),
  });
}

/** The best hypothesis of source 1, as text too. */
export async function decode(
  options: NatOptions,
  model: ScriptedCanvasModel,
  more: Partial<DecodeRequest<TokenSource>> = {},
): Promise<{ readonly text: string; readonly best: Hypothesis; readonly statistics: DecodeStatistics }> {
  const { results, statistics } = await collect(nat(options).decode(model, { sources: [Int32Array.of(1)], ...more }));
  const best = results[0].hypotheses[0];
  return { text: toText(best.tokenIds), best, statistics };
}
