import { collect, type Drafter } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineDrafters, copyDrafter, ngramDrafter, speculative } from '../src/index.js';
import { decode, encode, tokenText, VOCABULARY } from './copied-texts.js';
import { type Script, scriptedTarget } from './scripted-target.js';

interface Edited {
  readonly source: readonly number[];
  readonly target: readonly number[];
  readonly edits: number;
  readonly putIn: number;
}

/** A text of different tokens, and what a corrector makes of it: edits at least four tokens apart. */
const anyEdited: fc.Arbitrary<Edited> = fc
  .record({
    length: fc.integer({ min: 0, max: 60 }),
    kinds: fc.array(fc.constantFrom('replace', 'put in', 'leave out'), { maxLength: 9 }),
    gaps: fc.array(fc.integer({ min: 4, max: 9 }), { minLength: 9, maxLength: 9 }),
  })
  .map(({ length, kinds, gaps }) => {
    const source = Array.from({ length }, (_, index) => 100 + index);
    const target: number[] = [];
    let edits = 0;
    let putIn = 0;
    let next = gaps[0];
    for (let at = 0; at < length; at++) {
      // The last tokens stay, so that the end is no edit's.
      const kind = at === next && at < length - 4 ? kinds[edits] : undefined;
      if (kind === undefined) target.push(source[at]);
      else {
        if (kind !== 'leave out') target.push(1 + edits);
        if (kind === 'put in') {
          target.push(source[at]);
          putIn++;
        }
        edits++;
        next += gaps[edits % gaps.length];
      }
    }
    return { source, target, edits, putIn };
  });

const LARGE = { size: 200, endTokenId: 0 };

function corrector(cases: readonly Edited[], branching = true) {
  const script: Script = (source, output) => cases[source].target[output.length] ?? 0;
  return scriptedTarget({ script, size: LARGE.size, maxLength: 200, branching });
}

const copying = (cases: readonly Edited[], shape: 'tree' | 'chain'): Drafter<number> =>
  copyDrafter<number>({ vocabulary: LARGE, shape, from: (at) => Int32Array.from(cases[at].source) });

describe('a corrector, with its source as the draft', () => {
  it('takes a forward for each edit and one for the rest', async () => {
    await fc.assert(
      fc.asyncProperty(anyEdited, async (one) => {
        const forwards = async (shape: 'tree' | 'chain'): Promise<number> => {
          const decoder = speculative({ drafter: copying([one], shape), maxNodes: 200 });
          const { results, statistics } = await collect(decoder.decode(corrector([one]), { sources: [0] }));
          expect([...(results[0]?.hypotheses[0]?.tokenIds ?? [])]).toEqual(one.target);
          return statistics.forwards;
        };
        expect(await forwards('tree')).toBe(one.edits + 1);
        // A chain takes what was put in for a replacement first.
        expect(await forwards('chain')).toBe(one.edits + one.putIn + 1);
      }),
      { numRuns: 500, seed: 5 },
    );
  });

  it('finds its way back after long parts were left out, moved or put in', async () => {
    const source = Array.from({ length: 150 }, (_, index) => 20 + index);
    const target = [...source.slice(40, 90), ...source.slice(0, 40), ...source.slice(110)];
    const one = { source, target, edits: 3, putIn: 0 };
    const decoder = speculative({ drafter: copying([one], 'chain'), maxNodes: 200 });
    const { results, statistics } = await collect(decoder.decode(corrector([one]), { sources: [0] }));
    expect([...(results[0]?.hypotheses[0]?.tokenIds ?? [])]).toEqual(target);
    expect(statistics.forwards).toBeLessThanOrEqual(18);
  });

  it('corrects misspellings in a forward each, whatever they are made of', async () => {
    const texts: readonly (readonly [source: string, target: string, forwards: number])[] = [
      ['the cat sat on a mat', 'the cat sat on a mat', 1],
      ['the cat sta on a mat', 'the cat sat on a mat', 2],
      ['the caat sat onn a mat', 'the cat sat on a mat', 3],
      ['thecat sat on amat', 'the cat sat on a mat', 3],
      ['the c at sat on a m at', 'the cat sat on a mat', 3],
    ];
    const script: Script = (at, output) => encode(texts[at][1])[output.length] ?? 0;
    for (const [at, [source, target, forwards]] of texts.entries()) {
      const model = scriptedTarget({ script, size: VOCABULARY.size, maxLength: 200 });
      const drafter = copyDrafter<number>({
        vocabulary: VOCABULARY,
        tokenText,
        from: () => Int32Array.from(encode(source)),
      });
      const { results, statistics } = await collect(
        speculative({ drafter, maxNodes: 64 }).decode(model, { sources: [at] }),
      );
      expect(decode(results[0]?.hypotheses[0]?.tokenIds ?? [])).toBe(target);
      expect([source, statistics.forwards]).toEqual([source, forwards]);
    }
  });
});

/** Small alphabets, so that accidental agreement, repeats and ties are common. */
const anyCopy = fc.record({
  pairs: fc.array(
    fc.record({
      source: fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 20 }),
      edits: fc.array(
        fc.record({ at: fc.nat(20), leaveOut: fc.nat(3), putIn: fc.array(fc.nat(7), { maxLength: 3 }) }),
        {
          maxLength: 4,
        },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  texts: fc.option(
    fc.array(fc.constantFrom('', 'a', 'b', 'ab', ' a', ' ', 'ba', 'aab'), { minLength: 8, maxLength: 8 }),
    {
      nil: undefined,
    },
  ),
  shape: fc.constantFrom('tree' as const, 'chain' as const),
  branching: fc.boolean(),
  mixed: fc.boolean(),
  maxNodes: fc.integer({ min: 1, max: 40 }),
  maxNewTokens: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  stopSequences: fc.array(
    fc.array(fc.nat(7), { minLength: 1, maxLength: 3 }).map((ids) => Int32Array.from(ids)),
    {
      maxLength: 1,
    },
  ),
});

describe('speculative decoding with copied drafts', () => {
  it('equals greedy decoding on random copies with edits', async () => {
    await fc.assert(
      fc.asyncProperty(anyCopy, async ({ pairs, texts, shape, branching, mixed, maxNodes, ...limits }) => {
        const targets = pairs.map(({ source, edits }) => {
          const target = [...source];
          for (const { at, leaveOut, putIn } of edits) target.splice(at, leaveOut, ...putIn);
          return target;
        });
        const script: Script = (source, output) => targets[source]?.[output.length] ?? 0;
        const vocabulary = { size: 8, endTokenId: 0 };
        const target = () => scriptedTarget({ script, size: 8, maxLength: 40, branching });
        const from = (at: number) => Int32Array.from(pairs[at]?.source ?? []);
        const copy = copyDrafter<number>({
          vocabulary,
          shape,
          from,
          tokenText: texts === undefined ? undefined : (tokenId: number) => texts[tokenId] as string,
        });
        const byTokens = copyDrafter<number>({ vocabulary, from, shape: 'tree' });
        const drafter = mixed ? combineDrafters([copy, byTokens]) : copy;
        const request = {
          sources: [...pairs.keys()],
          stopSequences: limits.stopSequences,
          maxNewTokens: limits.maxNewTokens,
        };
        const expected = await collect(greedy<number>().decode(target(), request));
        const received = await collect(speculative({ drafter, maxNodes }).decode(target(), request));
        expect(received.results).toEqual(expected.results);
        expect(received.statistics.forwards).toBeLessThanOrEqual(expected.statistics.forwards);
      }),
      { numRuns: 3000, seed: 6 },
    );
  });

  it('needs no more forwards than with n-grams of the source, and usually fewer', async () => {
    const cases = fc.sample(anyEdited, { numRuns: 40, seed: 8 });
    let copied = 0;
    let looked = 0;
    for (const one of cases) {
      const model = () => corrector([one]);
      const source = Int32Array.from([...one.source, 0]);
      const ngram = ngramDrafter({ vocabulary: LARGE });
      const lookup: Drafter<number> = { name: 'ngram', open: (_, context) => ngram.open([source], context) };
      const count = async (drafter: Drafter<number>): Promise<number> =>
        (await collect(speculative({ drafter, maxNodes: 200 }).decode(model(), { sources: [0] }))).statistics.forwards;
      const [byCopy, byNgrams] = [await count(copying([one], 'tree')), await count(lookup)];
      expect(byCopy).toBeLessThanOrEqual(byNgrams);
      copied += byCopy;
      looked += byNgrams;
    }
    expect(copied).toBeLessThan(looked);
  });
});
