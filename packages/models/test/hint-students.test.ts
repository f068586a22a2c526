import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Canvas, CanvasModel, LatticePath, TokenSource } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusal } from './folder-fixtures.js';
import {
  canvas,
  canvasDifferences,
  canvases,
  edit,
  editDifferences,
  edits,
  faultyFolder,
  read,
} from './hint-differences.js';
import {
  END,
  EXPECTED,
  hintsFolder,
  largestDifference,
  loadStudents,
  MASK,
  POSITIONS,
  SOURCES,
  START,
  studentsFolder,
  VOCABULARY,
  weightsOf,
} from './student-fixtures.js';

const paths: readonly LatticePath[] = EXPECTED.paths.map(([tokenIds, firstFrames]) => ({
  tokenIds: Int32Array.from(tokenIds),
  firstFrames: Int32Array.from(firstFrames),
}));

describe('a canvas student that reads hints', () => {
  it('gives the log-probabilities of tokens and lengths of PyTorch to 1e-4', async () => {
    const { tokens, lengths } = await canvasDifferences();
    expect(tokens).toBeLessThan(1e-4);
    expect(lengths).toBeLessThan(1e-4);
  });

  it('reads the paths it is given instead, as PyTorch to 1e-4', async () => {
    const { tokens, lengths } = await canvasDifferences(canvas, paths);
    expect(tokens).toBeLessThan(1e-4);
    expect(lengths).toBeLessThan(1e-4);
    const [best, given] = [await read(SOURCES, canvases), await read(SOURCES, canvases, canvas, paths)];
    expect(largestDifference(best.fills[0].logProbs, given.fills[0].logProbs)).toBeGreaterThan(0.05);
  });

  it('stays close when weights are stored as fp16', async () => {
    const half = await loadStudents(await hintsFolder({ weights: 'float16' }));
    try {
      const { tokens, lengths } = await canvasDifferences(half.canvas);
      expect(tokens).toBeLessThan(0.05);
      expect(lengths).toBeLessThan(0.05);
    } finally {
      await half.model[Symbol.asyncDispose]();
    }
  });
});

describe('an edit student that reads hints', () => {
  it('gives the deletions, placeholders and tokens of PyTorch to 1e-4', async () => {
    const { tokens, deletions, placeholders } = await editDifferences();
    expect(tokens).toBeLessThan(1e-4);
    expect(deletions).toBeLessThan(1e-4);
    expect(placeholders).toBe(0);
  });

  it('reads the paths it is given instead, as PyTorch to 1e-4', async () => {
    const { tokens, deletions, placeholders } = await editDifferences(paths);
    expect(tokens).toBeLessThan(1e-4);
    expect(deletions).toBeLessThan(1e-4);
    expect(placeholders).toBe(0);
  });
});

describe('an edit student with nothing written yet', () => {
  const empty = (row: number): Canvas => ({ row, tokenIds: Int32Array.of(START, END) });

  it('makes room for the hint, whatever it is asked about besides', async () => {
    const lengths = paths.map(({ tokenIds }) => tokenIds.length);
    expect(new Set(lengths)).toEqual(new Set([0, 1, 3]));
    await using session = await edit.open(SOURCES, { hints: paths });
    expect(await session.placeholders([0, 1, 2].map(empty))).toEqual(lengths.map((length) => Int32Array.of(length)));
    const [first, , third] = edits as [Canvas, Canvas, Canvas];
    const mixed = await session.placeholders([third, empty(2), first, empty(0)]);
    expect(mixed).toEqual([
      ...(await session.placeholders([third])),
      Int32Array.of(0),
      ...(await session.placeholders([first])),
      Int32Array.of(3),
    ]);
  });

  it('leaves room for the boundaries alone in a longer hint', async () => {
    const tokens = 3 * POSITIONS;
    const hints = [
      { tokenIds: new Int32Array(tokens).fill(4), firstFrames: Int32Array.from({ length: tokens }, (_, i) => i) },
    ];
    const source = new Int32Array(POSITIONS).fill(4);
    await using session = await edit.open([source], { hints });
    expect(await session.placeholders([empty(0)])).toEqual([Int32Array.of(POSITIONS - 2)]);
  });

  it('refuses canvases of no row', async () => {
    await using session = await edit.open(SOURCES);
    const error = await refusal(async () => session.placeholders([empty(3)]));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { received: 3 } });
  });
});

describe('hints that are given', () => {
  const ids = (...values: number[]) => Int32Array.from(values);
  const [first, ...others] = paths as [LatticePath, ...LatticePath[]];

  it.each<[fault: string, hints: readonly LatticePath[], message: string]>([
    ['one too few', others, 'one path a source, 3, but has 2'],
    ['a frame too few', [{ ...first, firstFrames: ids(1, 2) }, ...others], 'row 0 has 3 tokens but 2 first frames'],
    [
      'an unknown token',
      [{ ...first, tokenIds: ids(4, 4, VOCABULARY) }, ...others],
      `row 0 holds token id ${VOCABULARY}`,
    ],
    ['a token that is none', [{ ...first, tokenIds: ids(4, -1, 4) }, ...others], 'row 0 holds token id -1'],
    ['two tokens at once', [{ ...first, firstFrames: ids(1, 1, 7) }, ...others], 'row 0 has token 1 begin at frame 1'],
    ['a frame before the first', [{ ...first, firstFrames: ids(-1, 2, 7) }, ...others], 'token 0 begin at frame -1'],
    // A token has three frames.
    ['a frame after the last', [{ ...first, firstFrames: ids(1, 2, 15) }, ...others], 'but its source has 15 frames'],
  ])('are refused with %s', async (_, hints, message) => {
    for (const model of [canvas, edit]) {
      const error = await refusal(async () => (await model.open(SOURCES, { hints }))[Symbol.asyncDispose]());
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'hints' } });
      expect(error.message).toContain(message);
    }
  });

  it('are refused where none are read', async () => {
    const unread = await loadStudents(await studentsFolder());
    try {
      for (const model of [unread.canvas, unread.edit]) {
        expect(model.readsHints).toBe(false);
        const error = await refusal(async () => (await model.open(SOURCES, { hints: paths }))[Symbol.asyncDispose]());
        expect(error).toMatchObject({ code: 'UNSUPPORTED_CAPABILITY', details: { capability: 'hints' } });
      }
    } finally {
      await unread.model[Symbol.asyncDispose]();
    }
    expect([canvas.readsHints, edit.readsHints]).toEqual([true, true]);
  });
});

const token = fc.integer({ min: 3, max: VOCABULARY - 1 });
const anySource = fc.array(token, { maxLength: POSITIONS - 1 }).map((ids) => Int32Array.of(...ids, END));
const masks: Canvas = { row: 0, tokenIds: Int32Array.of(MASK, 4, MASK, MASK) };

describe('sources of different lengths, read together', () => {
  it('get what each gets alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anySource, { minLength: 1, maxLength: 5 }), async (sources) => {
        const together = await read(
          sources,
          sources.map((_, row) => ({ ...masks, row })),
        );
        const changed = Int32Array.of(START, 4, MASK, 9, END);
        await using session = await edit.open(sources);
        const deletions = await session.deletions(sources.map((_, row) => ({ row, tokenIds: changed })));
        for (const [row, source] of sources.entries()) {
          const alone = await read([source], [masks]);
          const filled = alone.fills[0].logProbs;
          expect(largestDifference(filled, together.fills[row].logProbs)).toBeLessThan(1e-5);
          const [lengths, among] = [alone.lengths[0], together.lengths[row]];
          expect(largestDifference(lengths.logProbs, among.logProbs)).toBeLessThan(1e-5);
          await using single = await edit.open([source]);
          const [deleted] = await single.deletions([{ row: 0, tokenIds: changed }]);
          expect(largestDifference(deleted ?? [], deletions[row] ?? [])).toBeLessThan(1e-5);
        }
      }),
      // Of almost equal labels rounding may choose another one, so the sources are always the same.
      { numRuns: 20, seed: 1 },
    );
  });

  it('say nothing in padding, and would be told apart if they did', async () => {
    const besides = async (of: CanvasModel<TokenSource>) => {
      const short = SOURCES[1];
      // Not so long that the two would not share a forward.
      const long = new Int32Array(short.length + 8).fill(9);
      const all = [{ row: 0, tokenIds: new Int32Array(POSITIONS).fill(MASK) }];
      const [alone, beside] = [await read([short], all, of), await read([short, long], all, of)];
      return largestDifference(alone.fills[0].logProbs, beside.fills[0].logProbs);
    };
    expect(await besides(canvas)).toBeLessThan(1e-5);
    const faulty = await loadStudents(await faultyFolder('And', (_, [begins]) => begins));
    try {
      expect(await besides(faulty.canvas)).toBeGreaterThan(0.05);
    } finally {
      await faulty.model[Symbol.asyncDispose]();
    }
  });
});

describe('a folder whose students read hints', () => {
  it('has graphs that are given them', async () => {
    const graphsOf = async (folder: string) =>
      (JSON.parse(await readFile(join(folder, 'foretoken.json'), 'utf8')) as { graphs: Record<string, object> }).graphs;
    expect(await graphsOf(await hintsFolder())).toMatchObject({
      canvas: { openHints: 'canvas-open-hints.onnx' },
      edit: { openHints: 'edit-open-hints.onnx' },
    });
    const unread = await graphsOf(await studentsFolder({ edit: await weightsOf('edit', { reads_hints: false }) }));
    expect(unread.canvas).not.toHaveProperty('openHints');
    expect(unread.edit).not.toHaveProperty('openHints');
  });

  it.each([
    ['float32', 4],
    ['float16', 2],
  ] as const)('keeps the weights of the CTC student once, as %s', async (weights, bytes) => {
    const size = async (readsHints: boolean) => {
      // The length head is another one with hints.
      const config = { reads_hints: readsHints, length_classes: 0 };
      const [filled, edited] = [await weightsOf('canvas-hints', config), await weightsOf('edit-hints', config)];
      return (await stat(join(await hintsFolder({ weights, canvas: filled, edit: edited }), 'weights.bin'))).size;
    };
    // What each student projects a hint with, of width 8, is all there is more.
    expect((await size(true)) - (await size(false))).toBe(2 * 16 * 8 * bytes);
  });
});
