import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertRoundCost, longEnough } from '../src/draft-length.js';
import { draftLength } from '../src/index.js';

const cost = fc.double({ min: 0.1, max: 5, noNaN: true });
const probability = fc.double({ min: 0, max: 1, noNaN: true });

describe('draftLength', () => {
  it('takes free nodes, and stops where a node costs more than it brings', () => {
    const verifyCost = [1, 1, 1, 1, 1.3, 1.6, 1.9];
    expect(draftLength([0.9, 0.8, 0.1, 0.05, 0.04], { verifyCost })).toBe(3);
    expect(draftLength([0.99, 0.98, 0.97, 0.96, 0.95], { verifyCost })).toBe(3);
    expect(draftLength([1, 1, 1, 1, 1, 1], { verifyCost: [1, 1.1, 1.2, 1.3, 1.4] })).toBe(4);
  });

  it('looks past a step in the cost', () => {
    // Node 2 alone does not pay; nodes 2 to 4 together do.
    expect(draftLength([1, 0.9, 0.9, 0.9], { verifyCost: [1, 1, 1.6, 1.6, 1.6] })).toBe(4);
    expect(draftLength([1, 0.9], { verifyCost: [1, 1, 1.6, 1.6, 1.6] })).toBe(1);
  });

  it('drafts longer where drafting itself costs something', () => {
    const verifyCost = [1, 1.5, 2, 2.5];
    expect(draftLength([0.6, 0.4, 0.4], { verifyCost, draftCost: 0 })).toBe(1);
    expect(draftLength([0.6, 0.4, 0.4], { verifyCost, draftCost: 1 })).toBe(3);
  });

  it('is best among all lengths, and never longer than the measured widths', () => {
    fc.assert(
      fc.property(
        fc.array(probability, { maxLength: 12 }).map((values) => values.sort((a, b) => b - a)),
        fc.array(cost, { minLength: 1, maxLength: 10 }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        (probabilities, verifyCost, draftCost) => {
          const most = Math.min(probabilities.length, verifyCost.length - 1);
          const rate = (nodes: number): number =>
            (1 + probabilities.slice(0, nodes).reduce((sum, value) => sum + value, 0)) /
            (draftCost + (verifyCost[nodes] as number));
          const length = draftLength(probabilities, { verifyCost, draftCost });
          expect(length).toBeLessThanOrEqual(most);
          for (let nodes = 0; nodes <= most; nodes++) expect(rate(length)).toBeGreaterThanOrEqual(rate(nodes));
        },
      ),
    );
  });

  it.each([
    [{ verifyCost: [] }, /verifyCost is empty/],
    [{ verifyCost: [1, 0] }, /verifyCost\[1\]/],
    [{ verifyCost: [Number.NaN] }, /verifyCost\[0\]/],
    [{ verifyCost: [1], draftCost: -1 }, /draftCost/],
  ])('refuses %j', (wrong, message) => {
    expect(() => assertRoundCost(wrong)).toThrowError(message);
    expect(() => draftLength([0.5], wrong)).toThrowError(message);
  });

  it.each([Number.NaN, -0.1, Number.POSITIVE_INFINITY])('refuses a probability of %s', (wrong) => {
    expect(() => draftLength([0.9, wrong], { verifyCost: [1, 1, 1] })).toThrowError(/probabilities\[1\]/);
  });
});

describe('longEnough', () => {
  it('never stops growing before the length that draftLength would choose', () => {
    fc.assert(
      fc.property(
        fc.array(probability, { maxLength: 12 }),
        fc.array(cost, { minLength: 1, maxLength: 10 }),
        (values, verifyCost) => {
          const probabilities = values.sort((a, b) => b - a).slice(0, verifyCost.length - 1);
          const whole = draftLength(probabilities, { verifyCost });
          const stop = probabilities.findIndex((next, nodes) =>
            longEnough(probabilities.slice(0, nodes), next, { verifyCost }),
          );
          if (stop >= 0) expect(draftLength(probabilities.slice(0, stop), { verifyCost })).toBe(whole);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
