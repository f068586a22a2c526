import type { CtcLattice, DagLattice, Lattice } from '@foretoken/core';
import { emitted, isLattice } from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';

const CTC: CtcLattice = {
  kind: 'ctc',
  frames: 1,
  k: 1,
  blankId: 2,
  tokenIds: Int32Array.of(1),
  logProbs: Float32Array.of(-1),
  blankLogProbs: Float32Array.of(-1),
};
const DAG: DagLattice = {
  kind: 'dag',
  vertices: 1,
  k: 1,
  tokenIds: Int32Array.of(1),
  logProbs: Float32Array.of(-1),
  transitions: Float32Array.of(Number.NEGATIVE_INFINITY),
};

describe('emitted', () => {
  it('gives lattices typed by the kind that was asked for', () => {
    const frames: readonly number[] = emitted('ctc', [CTC, CTC], 2).map((lattice) => lattice.frames);
    const vertices: readonly number[] = emitted('dag', [DAG], 1).map((lattice) => lattice.vertices);
    expect([...frames, ...vertices]).toEqual([1, 1, 1]);
    expect(emitted('ctc', [], 0)).toEqual([]);
  });

  it('says what else was emitted, and for which source', () => {
    const wrong: [received: string, lattices: unknown][] = [
      ['a dag lattice for source 1', [CTC, DAG]],
      ['a ctc lattice with undefined as blankLogProbs for source 0', [{ ...CTC, blankLogProbs: undefined }, CTC]],
      ['a ctc lattice with undefined as tokenIds for source 1', [CTC, { kind: 'ctc' }]],
      ['null for source 1', [CTC, null]],
      ['1 of them', [CTC]],
      ['"none"', 'none'],
    ];
    for (const [received, lattices] of wrong) {
      expect(() => emitted('ctc', lattices as Lattice[], 2), received).toThrowError(
        expect.objectContaining({
          code: 'INVALID_ARGUMENT',
          message: `The lattice model emitted ${received}; 2 ctc lattices, one for each source, are required.`,
        }),
      );
    }
    expect(() => emitted('dag', [{ ...DAG, transitions: null as never }], 1)).toThrow(/null as transitions/);
  });

  it('knows lattices by their arrays, and never throws', () => {
    const hostile = new Proxy({}, { get: () => trap() });
    for (const value of [undefined, null, 'ctc', { kind: 'ctc' }, DAG, hostile]) {
      expect(isLattice('ctc', value)).toBe(false);
    }
    expect(isLattice('ctc', CTC) && isLattice('dag', DAG)).toBe(true);
  });
});

function trap(): never {
  throw new Error('a trap');
}
