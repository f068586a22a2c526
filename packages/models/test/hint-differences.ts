import type { Canvas, CanvasModel, EditModel, EditSession, LatticePath, TokenSource } from '@foretoken/core';
import { GraphBuilder, type Value } from '@foretoken/importers';
import { expect, vi } from 'vitest';
import {
  canvasOf,
  differenceTo,
  EXPECTED,
  hintsFolder,
  largestDifference,
  SOURCES,
  useStudents,
} from './student-fixtures.js';

export let canvas: CanvasModel<TokenSource>;
export let edit: EditModel<TokenSource>;

useStudents(hintsFolder, (students) => {
  ({ canvas, edit } = students);
});

const LOG_PROBS = { kind: 'logProbs' } as const;
export const canvases = EXPECTED.canvasHints.canvases.map(canvasOf);
export const edits = EXPECTED.editHints.canvases.map(canvasOf);

/** What the canvas student says of these canvases and of the lengths of all sources. */
export async function read(
  sources: readonly TokenSource[],
  given: readonly Canvas[],
  of: CanvasModel<TokenSource> = canvas,
  hints?: readonly LatticePath[],
) {
  await using session = await of.open(sources, hints === undefined ? {} : { hints });
  return { fills: await session.fill(given, LOG_PROBS), lengths: await session.predictLengths(100) };
}

/** Largest differences of a canvas student's answers to those of PyTorch: of tokens, and of lengths. */
export async function canvasDifferences(
  of: CanvasModel<TokenSource> = canvas,
  hints?: readonly LatticePath[],
): Promise<{ tokens: number; lengths: number }> {
  const { fills, lengths } = await read(SOURCES, canvases, of, hints);
  const golden = hints === undefined ? EXPECTED.canvasHints : EXPECTED.canvasGiven;
  const tokens = fills.map(({ logProbs }, index) => differenceTo(golden.logProbs[index] ?? [], logProbs));
  const ofLengths = lengths.map((found, row) => {
    const wanted = golden.lengths[row] ?? {};
    expect(Object.keys(wanted).map(Number)).toEqual([...found.lengths].sort((a, b) => a - b));
    const expected = [...found.lengths].map((length) => wanted[length] ?? Number.NaN);
    return largestDifference(expected, found.logProbs);
  });
  return { tokens: Math.max(...tokens), lengths: Math.max(...ofLengths) };
}

/** As `canvasDifferences`, of an edit student. */
export async function editDifferences(
  hints?: readonly LatticePath[],
): Promise<{ tokens: number; deletions: number; placeholders: number }> {
  await using session: EditSession = await edit.open(SOURCES, hints === undefined ? {} : { hints });
  const golden = hints === undefined ? EXPECTED.editHints : EXPECTED.editGiven;
  const deletions = await session.deletions(edits);
  const placeholders = await session.placeholders(edits);
  const tokens = await session.fill(edits, LOG_PROBS);
  const differences = edits.map(({ tokenIds }, index) => {
    const wanted = [...(golden.deletions[index] ?? [])];
    wanted[0] = wanted[tokenIds.length - 1] = Number.NEGATIVE_INFINITY;
    return {
      tokens: differenceTo(golden.logProbs[index] ?? [], tokens[index].logProbs),
      deletions: largestDifference(wanted, deletions[index] ?? []),
      placeholders: largestDifference(golden.placeholders[index] ?? [], placeholders[index] ?? []),
    };
  });
  return {
    tokens: Math.max(...differences.map((of) => of.tokens)),
    deletions: Math.max(...differences.map((of) => of.deletions)),
    placeholders: Math.max(...differences.map((of) => of.placeholders)),
  };
}

export type Plant = (graph: GraphBuilder, inputs: readonly Value[]) => Value;

/** `hintsFolder` by an importer that emits something else for an operator of the best path. */
export async function faultyFolder(op: string, plant: Plant): Promise<string> {
  const { ops } = GraphBuilder.prototype;
  const spy = vi.spyOn(GraphBuilder.prototype, 'op').mockImplementation(function (this: GraphBuilder, ...of) {
    const [opType, inputs, attributes, options] = of;
    // Fill graphs pad, too: scores.
    const planted = opType === op && !inputs[0]?.startsWith('LogSoftmax');
    return planted ? plant(this, inputs) : ops.call(this, opType, inputs, 1, attributes, options)[0];
  });
  try {
    return await hintsFolder();
  } finally {
    spy.mockRestore();
  }
}
