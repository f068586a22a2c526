import { describe, expect, it } from 'vitest';
import { RowCache } from '../src/runtime/row-cache.js';
import { TreeRow } from '../src/runtime/tree-row.js';

describe('the memory of a cache that was disposed of', () => {
  const fill = (cache: RowCache, value: number, type: 'float32' | 'float16' = 'float32'): void => {
    const slots = new (type === 'float16' ? Uint16Array : Float32Array)(8 * cache.stride).fill(value);
    for (let row = 0; row < cache.rows; row++) cache.write(row, 0, slots, 0, 8);
  };

  it('is that of the next one of its size, cleared of what was there', () => {
    const first = new RowCache(1, 4, 3);
    fill(first, Number.NaN);
    const { buffer } = first.viewSingle(8)[0];
    first.dispose();
    const second = new RowCache(1, 4, 3);
    expect(second.viewSingle(second.capacity)[0].buffer).toBe(buffer);
    for (const part of second.viewSingle(second.capacity)) expect(part.every((value) => value === 0)).toBe(true);
    // It has an owner, so the next but one gets memory of its own.
    const third = new RowCache(1, 4, 3);
    expect(third.viewSingle(8)[0].buffer).not.toBe(buffer);
  });

  it('is of no use for one of another size or element type', () => {
    for (const other of [() => new RowCache(1, 4, 4), () => new RowCache(1, 4, 3, 8, 32, 'float16')]) {
      const first = new RowCache(1, 4, 3);
      const { buffer } = first.viewSingle(8)[0];
      first.dispose();
      const second = other();
      expect(second.viewSingle(8)[0].buffer).not.toBe(buffer);
      fill(second, 1, second.viewSingle(0)[0] instanceof Uint16Array ? 'float16' : 'float32');
    }
  });

  it('is left once, however often the cache is disposed of', () => {
    const first = new RowCache(2, 2, 5);
    first.dispose();
    const second = new RowCache(2, 2, 5);
    first.dispose();
    const third = new RowCache(2, 2, 5);
    fill(second, 1);
    fill(third, 2);
    expect(second.viewRows(0, 2)[0].slice(0, 40)).toEqual(new Float32Array(40).fill(1));
    expect(() => first.write(0, 0, new Float32Array(10), 0, 1)).toThrow();
    expect(first.rows).toBe(0);
  });
});

describe('the slots of a row', () => {
  it('stay where they are where what is kept is the path to a slot of the trunk', () => {
    const tree = new TreeRow();
    for (let node = 0; node < 6; node++) tree.append(node, node - 1);
    tree.append(6, 3);
    expect(tree.retain([4])).toEqual([]);
    expect([tree.size, tree.trunk, tree.nodeAt(4), tree.depthOf(4)]).toEqual([5, 5, 4, 5]);
    expect(tree.append(7, 4)).toBe(5);
    expect(tree.trunk).toBe(6);
  });
});
