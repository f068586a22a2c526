import { type ScriptedCanvasModel, type ScriptedCanvasOptions, scriptedCanvasModel } from '@foretoken/testkit';

/** Letters are tokens 1, 2, ...; `.` is the end token 0, `_` the mask. */
export const LETTERS = '.abcdefg_';
export const MASK: number = LETTERS.indexOf('_');

export function toText(tokenIds: Iterable<number>): string {
  return [...tokenIds].map((tokenId) => LETTERS[tokenId]).join('');
}

export function toTokens(text: string): Int32Array {
  return Int32Array.from(text, (letter) => LETTERS.indexOf(letter));
}

/** Log-probabilities with `token` at `probability` and all else sharing the rest. */
export function peaked(letter: string, probability: number): number[] {
  const rest = (1 - probability) / (LETTERS.length - 1);
  return [...LETTERS].map((other) => Math.log(other === letter ? probability : rest));
}

/**
 * A model that says of each canvas in the table what stands at each position, as `a90` for the letter a at 90 percent; a
 * canvas that is not in the table is a failure of the test.
 */
export function tableModel(
  table: Readonly<Record<string, string>>,
  more: Partial<ScriptedCanvasOptions> = {},
): ScriptedCanvasModel {
  return scriptedCanvasModel({
    vocabularySize: LETTERS.length,
    maskTokenId: MASK,
    score: (_, canvas, position) => {
      const entry = table[toText(canvas)]?.split(' ')[position];
      if (entry === undefined) throw new Error(`the canvas ${toText(canvas)} is not in the table`);
      return peaked(entry.slice(0, 1), Number(entry.slice(1)) / 100);
    },
    ...more,
  });
}

/** The canvases of each forward, as text. */
export function fillsOf(model: ScriptedCanvasModel): string[][] {
  return model.calls.flatMap((call) =>
    call.call === 'fill' ? [call.canvases.map(({ tokenIds }) => toText(tokenIds))] : [],
  );
}
