import type { Tensor } from '@foretoken/core/runtime';
import type { GraphBuilder, Value } from '@foretoken/importers';
import { describe, expect, it, vi } from 'vitest';
import { SourceReading } from '../src/drivers/source-reading.js';
import { canvasDifferences, editDifferences, faultyFolder, type Plant } from './hint-differences.js';
import { loadStudents } from './student-fixtures.js';

describe('the goldens tell apart', () => {
  it.each<[fault: string, plant: (row: Float32Array, width: number) => void]>([
    ['a hint that is dropped', (row) => row.fill(0)],
    ['a hint a position early', (row, width) => row.copyWithin(0, width)],
    ['a hint a position late', (row, width) => row.copyWithin(width, 0)],
  ])('%s', async (_, plant) => {
    const { feeds } = SourceReading.prototype;
    const planted = new Set<Tensor>();
    const spy = vi.spyOn(SourceReading.prototype, 'feeds').mockImplementation(function (this: SourceReading, ...of) {
      const fed = feeds.apply(this, of);
      const { hints } = fed;
      if (hints === undefined) throw new TypeError('no hint');
      // Rounds of the same canvases are fed the same one.
      if (planted.has(hints)) return fed;
      planted.add(hints);
      const [, length = 0, width = 0] = hints.dims;
      const data = hints.data as Float32Array;
      const size = length * width;
      for (let begin = 0; begin < data.length; begin += size) plant(data.subarray(begin, begin + size), width);
      return fed;
    });
    try {
      expect((await canvasDifferences()).tokens).toBeGreaterThan(0.05);
      const { tokens, deletions } = await editDifferences();
      expect(tokens).toBeGreaterThan(0.05);
      expect(deletions).toBeGreaterThan(0.05);
    } finally {
      spy.mockRestore();
    }
  });

  it.each<[fault: string, says: 'tokens' | 'lengths', op: string, plant: Plant]>([
    ['a hint that is not compacted', 'tokens', 'CumSum', (graph) => graph.op('Add', ['positions', int32(graph, 1)])],
    ['labels that stay and begin again', 'tokens', 'Pad', (_, [, , blank]) => blank],
    ['blanks that begin tokens', 'tokens', 'Or', (_, [same]) => same],
    ['a length that is not clipped from above', 'lengths', 'Clip', (_, [of]) => of],
    ['the length of no hint', 'lengths', 'Clip', (graph, [of]) => graph.op('Mul', [of, int32(graph, 0)])],
  ])('%s', async (_, says, op, plant) => {
    const faulty = await loadStudents(await faultyFolder(op, plant));
    try {
      expect((await canvasDifferences(faulty.canvas))[says]).toBeGreaterThan(0.05);
    } finally {
      await faulty.model[Symbol.asyncDispose]();
    }
  });
});

const int32 = (graph: GraphBuilder, value: number): Value => graph.constant('int32', [], [value]);
