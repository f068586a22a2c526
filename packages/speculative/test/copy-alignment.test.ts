import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CopyAlignment } from '../src/copy-alignment.js';

const SPACE = 32;
const isSpace = (unit: number | undefined): boolean => unit === SPACE;

/** Cheapest edits by relaxing single ones until nothing changes: what each position of the text costs the whole output. */
function cheapestEdits(text: readonly number[], output: readonly number[]): number[] {
  const costs = output.concat(0).map(() => new Array<number>(text.length + 1).fill(Number.POSITIVE_INFINITY));
  const at = (done: number, position: number): number => costs[done]?.[position] ?? Number.POSITIVE_INFINITY;
  let changed = true;
  const relax = (done: number, position: number, cost: number): void => {
    if (!(cost < at(done, position))) return;
    costs[done][position] = cost;
    changed = true;
  };
  relax(0, 0, 0);
  while (changed) {
    changed = false;
    for (let done = 0; done <= output.length; done++) {
      for (let position = 0; position <= text.length; position++) {
        const cost = at(done, position);
        const [here, next] = text.slice(position);
        const [unit, following] = output.slice(done);
        if (here !== undefined) relax(done, position + 1, cost + (isSpace(here) ? 2 : 1));
        if (unit !== undefined) relax(done + 1, position, cost + 4);
        if (here !== undefined && unit !== undefined) {
          relax(done + 1, position + 1, cost + (here === unit ? 0 : isSpace(here) === isSpace(unit) ? 4 : 5));
        }
        if (next !== undefined && following !== undefined && here === following && next === unit) {
          relax(done + 2, position + 2, cost + 2);
        }
        for (let other = 0; other <= text.length; other++) relax(done, other, cost + 12);
      }
    }
  }
  return costs[output.length];
}

function aligned(text: readonly number[], output: readonly number[]): CopyAlignment {
  const alignment = new CopyAlignment(Int32Array.from(text));
  for (const unit of output) alignment.push(unit);
  return alignment;
}

const characters = (text: string): number[] => Array.from(text, (_, at) => text.charCodeAt(at));
const rest = (text: string, output: string): string =>
  text.slice(aligned(characters(text), characters(output)).position);

describe('CopyAlignment', () => {
  it.each(['Ġ', '▁'])('takes %s for the space that it stands for', (space) => {
    const letters = fc.array(fc.constantFrom(' ', ' ', 'a', 'b'), { maxLength: 12 }).map((all) => all.join(''));
    fc.assert(
      fc.property(letters, letters, (text, output) => {
        const costsOf = (written: (of: string) => string): number[] => {
          const alignment = aligned(characters(written(text)), characters(written(output)));
          return Array.from({ length: text.length + 1 }, (_, position) => alignment.costAt(position));
        };
        expect(costsOf((of) => of.replaceAll(' ', space))).toEqual(costsOf((of) => of));
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  it('looks 256 units ahead', () => {
    const text = Array.from({ length: 300 }, (_, at) => 1000 + at);
    const alignment = aligned(text, [text[255]]);
    // A jump, and then the same unit; farther on nothing is known but that.
    expect([256, 257].map((position) => alignment.costAt(position))).toEqual([12, alignment.cost + 12]);
  });

  it('offers as many places as are asked for', () => {
    const alignment = aligned([5, 6, 7, 8, 9, 10], [50, 51, 52]);
    expect([1, 2, 3, 9].map((max) => alignment.positions(max))).toEqual([[3], [3, 2], [3, 2, 1], [3, 2, 1, 0]]);
  });

  it('finds the cheapest edits', () => {
    const units = (max: number) => fc.array(fc.constantFrom(SPACE, 1, 2, 3), { maxLength: max });
    fc.assert(
      fc.property(units(9), units(8), (text, output) => {
        const costs = cheapestEdits(text, output);
        const alignment = aligned(text, output);
        expect(Array.from(costs.keys(), (position) => alignment.costAt(position))).toEqual(costs);
        expect(alignment.cost).toBe(Math.min(...costs));
        expect(costs[alignment.position]).toBe(alignment.cost);
        const offered = alignment.positions(4).map((position) => costs[position]);
        expect(offered).toEqual(offered.toSorted((a, b) => a - b));
        expect(offered.at(-1)).toBeLessThanOrEqual(alignment.cost + 2);
      }),
      { numRuns: 2000, seed: 3 },
    );
  });

  it.each([
    ['teh cat', 'the', ' cat'],
    ['teh cat', 'The', ' cat'],
    ['i went', 'I', ' went'],
    ['a lto of', 'a lot', ' of'],
    ['alot of', 'a lot', ' of'],
    ['in stead of', 'instead', ' of'],
    ['recieved it', 'received', ' it'],
    ['the the cat', 'the cat', ''],
    ['dont go', "don't", ' go'],
    ['gooood day', 'good', ' day'],
    ['a singal line', 'a single', ' line'],
    ['', 'anything', ''],
    ['left out', '', 'left out'],
  ])('%j, with the output %j, goes on with %j', (text, output, expected) => {
    expect(rest(text, output)).toBe(expected);
  });

  it('stays on the diagonal where all units are the same', () => {
    const text = new Array<number>(300).fill(7);
    const alignment = new CopyAlignment(Int32Array.from(text));
    for (let length = 0; length < 300; length++) {
      expect([alignment.position, alignment.cost]).toEqual([length, 0]);
      alignment.push(7);
    }
    // More of them than there are.
    alignment.push(7);
    expect(alignment.position).toBe(300);
  });

  it('finds its way again in long texts after edits, omissions and repeats', () => {
    const text = Array.from({ length: 20_000 }, (_, at) => Math.imul(at + 1, 0x9e3779b1) >>> 7);
    const alignment = new CopyAlignment(Int32Array.from(text));
    let at = 0;
    for (let edit = 0; at < text.length; edit++) {
      for (let length = 0; length < 40 && at < text.length; length++) alignment.push(text[at++]);
      expect(alignment.position).toBe(at);
      // One more, one less, a few less, one replaced, a repeat, a longer part left out.
      if (edit % 6 === 0) alignment.push(-1);
      else at = Math.max(0, at + [0, 1, 5, 1, -20, 50][edit % 6]);
      if (edit % 6 === 3) alignment.push(-1);
    }
    expect(alignment.position).toBe(text.length);
  });

  it('goes to the nearest of equally probable places', () => {
    const text = Array.from({ length: 120 }, (_, at) => 100 + at);
    for (const begin of [30, 80]) text.splice(begin, 5, 1, 2, 3, 4, 5);
    const output = [...text.slice(0, 50), 1, 2, 3, 4, 5];
    expect(aligned(text, output).position).toBe(35);
    expect(aligned(text, [...text.slice(0, 30), ...text.slice(35, 72), 1, 2, 3, 4, 5]).position).toBe(85);
  });

  it('costs the same for each unit however long the text is', () => {
    const reads = (length: number): number => {
      let count = 0;
      const units = new Proxy(new Int32Array(length), {
        get: (target, key) => {
          if (typeof key === 'string' && /^\d+$/.test(key)) count++;
          return Reflect.get(target, key, target) as unknown;
        },
      });
      const alignment = new CopyAlignment(units);
      for (let unit = 0; unit < 100; unit++) alignment.push(unit % 3);
      return count;
    };
    expect(reads(100_000)).toBe(reads(1000));
  });

  it('begins anew', () => {
    const units = fc.array(fc.constantFrom(SPACE, 1, 2), { maxLength: 8 });
    fc.assert(
      fc.property(units, units, units, (text, before, output) => {
        const alignment = aligned(text, before);
        alignment.restart();
        for (const unit of output) alignment.push(unit);
        const costs = (one: CopyAlignment) => Array.from({ length: text.length + 1 }, (_, at) => one.costAt(at));
        expect(costs(alignment)).toEqual(costs(aligned(text, output)));
      }),
      { numRuns: 1000, seed: 9 },
    );
  });
});
