import {
  collect,
  type Drafter,
  type DraftTree,
  type EmitOptions,
  type Lattice,
  type TokenSource,
} from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { assertWellFormed, proposeOne, scriptedLatticeModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CopyDrafterOptions, combineDrafters, copyDrafter, ngramDrafter, speculative } from '../src/index.js';
import { type Script, scriptedTarget } from './scripted-target.js';

/** Every printable ASCII character, and words with the space before them. */
const WORDS = ['the', ' the', ' cat', ' sat', ' on', ' an', ' a', ' mat', ' lot', ' of', 'ould', ' w', '🙂', ' 🙂'];
const TEXTS = ['', '<pad>', '<unk>', ...Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)), ...WORDS];
const VOCABULARY = { size: TEXTS.length, endTokenId: 0, padTokenId: 1, unknownTokenId: 2 };
const tokenText = (tokenId: number): string => TEXTS[tokenId];

/** The longest tokens first, from the beginning on. */
function encode(text: string): number[] {
  if (text === '') return [];
  const fitting = TEXTS.filter((token, tokenId) => tokenId > 2 && text.startsWith(token));
  const longest = fitting.reduce((best, token) => (token.length > best.length ? token : best));
  return [TEXTS.lastIndexOf(longest), ...encode(text.slice(longest.length))];
}

const decode = (tokenIds: ArrayLike<number>): string => Array.from(tokenIds, tokenText).join('');

async function draftOf(
  drafter: Drafter<TokenSource>,
  source: readonly number[],
  prefix: readonly number[],
  limit = { nodes: 40, depth: 40 },
): Promise<DraftTree> {
  const session = await drafter.open([Int32Array.from(source)], {});
  const draft = await proposeOne(session, { row: 0, prefix: Int32Array.from(prefix), limit });
  expect(session.forwards).toBe(0);
  await session[Symbol.asyncDispose]();
  assertWellFormed(draft, limit, VOCABULARY);
  return draft;
}

const byText = (options: Partial<CopyDrafterOptions<TokenSource>> = {}): Drafter<TokenSource> =>
  copyDrafter({ vocabulary: VOCABULARY, tokenText, ...options });

async function restOf(source: string, output: string): Promise<string> {
  return decode((await draftOf(byText(), [...encode(source), 0], encode(output))).tokenIds);
}

describe('copyDrafter', () => {
  it('proposes the whole source, then what follows the output, never the end token', async () => {
    const drafter = copyDrafter({ vocabulary: VOCABULARY });
    expect([...(await draftOf(drafter, [5, 6, 7, 8, 0], [])).tokenIds]).toEqual([5, 6, 7, 8]);
    expect([...(await draftOf(drafter, [5, 6, 7, 8, 0], [5, 6])).tokenIds]).toEqual([7, 8]);
    expect([...(await draftOf(drafter, [5, 0, 7, 1, 8, 0], [5])).tokenIds]).toEqual([7, 8]);
    expect([...(await draftOf(drafter, [5, 6, 0], [5, 6])).tokenIds]).toEqual([]);
  });

  it('goes on behind tokens that were replaced or left out, without their text', async () => {
    const drafter = copyDrafter({ vocabulary: VOCABULARY });
    expect([...(await draftOf(drafter, [5, 6, 7, 8, 9], [5, 50])).tokenIds]).toEqual([7, 8, 9]);
    expect([...(await draftOf(drafter, [5, 6, 7, 8, 9], [5, 7])).tokenIds]).toEqual([8, 9]);
    expect([...(await draftOf(drafter, [5, 6, 7, 8, 9], [5, 50, 6])).tokenIds]).toEqual([7, 8, 9]);
  });

  it('branches into what else may follow an edit', async () => {
    const { tokenIds, parents } = await draftOf(
      copyDrafter({ vocabulary: VOCABULARY, shape: 'tree' }),
      [5, 6, 7, 8],
      [5, 50],
    );
    // Replaced, or put in.
    expect([...tokenIds].filter((_, node) => parents[node] === -1)).toEqual([7, 6]);
    expect(tokenIds).toHaveLength(5);
  });

  it.each([
    ['teh cat sat', 'the', ' cat sat'],
    ['the cat saton a mat', 'the cat sat on', ' a mat'],
    ['the c at sat', 'the cat', ' sat'],
    ['i would', 'I', ' would'],
    ['alot of', 'a lot', ' of'],
    ['🙂the cat', '🙂', 'the cat'],
    ['x🙂 the cat', 'y🙂', ' the cat'],
    ['!?; 12,5 {cat}', '!?;', ' 12,5 {cat}'],
    ['Wrold peace', 'Wor', 'ld peace'],
    ['', '', ''],
    ['', 'the cat', ''],
  ])('%j, with the output %j, goes on with %j', async (source, output, expected) => {
    expect(await restOf(source, output)).toBe(expected);
  });

  it('spells what follows with its own tokens up to the next token of the text, and leaves out what the target refused', async () => {
    // After "w" the vocabulary has "ould", whatever pieces the text had.
    const pieces = [' ', 'v', 'o', 'u', 'l', 'd', ' cat'].map((text) => TEXTS.lastIndexOf(text));
    const draft = await draftOf(byText(), pieces, encode(' w'));
    expect(Array.from(draft.tokenIds, tokenText)).toEqual(['o', 'u', 'l', 'd', ' cat']);
    const joined = [TEXTS.indexOf(' an'), ...encode(' mat')];
    // " a" was chosen although " an" would have been one token.
    expect(decode((await draftOf(byText(), joined, [TEXTS.lastIndexOf(' a')])).tokenIds)).toBe(' mat');
    // No token joins "l" and what follows it.
    const inside = [TEXTS.indexOf(' lot'), ...encode(' of')];
    expect(decode((await draftOf(byText(), inside, [TEXTS.indexOf(' '), TEXTS.indexOf('l')])).tokenIds)).toBe('ot of');
  });

  it('never spells text with tokens that stand for something else', async () => {
    const source = [...encode('<x'), TEXTS.lastIndexOf(' the'), ...encode('<pad><unk>')];
    const draft = await draftOf(byText(), source, encode('x'));
    expect(draft.tokenIds.includes(1) || draft.tokenIds.includes(2)).toBe(false);
    // Tokens without text are units of their own.
    const strange = await draftOf(
      copyDrafter({ vocabulary: { size: 9, endTokenId: 0 }, tokenText: () => '' }),
      [3, 4, 5],
      [3],
    );
    expect([...strange.tokenIds]).toEqual([4, 5]);
  });

  it('copies from what `from` gives, once for each row', async () => {
    const rows: number[] = [];
    const drafter = copyDrafter<{ readonly draft: string }>({
      vocabulary: VOCABULARY,
      tokenText,
      from: ({ draft }, row) => {
        rows.push(row);
        return Int32Array.from(encode(draft));
      },
    });
    const session = await drafter.open([{ draft: 'the cat' }, { draft: 'a mat' }], {});
    const request = { prefix: new Int32Array(0), limit: { nodes: 9, depth: 9 } };
    for (const row of [0, 1, 1, 0]) {
      const [draft] = await session.propose([{ row, ...request }]);
      expect(decode(draft.tokenIds)).toBe(['the cat', 'a mat'][row]);
    }
    expect(rows).toEqual([0, 1]);
    await session[Symbol.asyncDispose]();
  });

  it('copies what a CTC model writes in one forward, and is as sure as that of each token', async () => {
    // A label a frame: "the", " cat", a blank, " cat", the end token, " sat"; 1 is the blank.
    const labels = ['the', ' cat', '<pad>', ' cat', '', ' sat'].map((label) => TEXTS.indexOf(label));
    const shares = [0.9, 0.8, 0.7, 0.6, 0.95, 0.5];
    const emitted: unknown[] = [];
    const model = scriptedLatticeModel({
      vocabularySize: VOCABULARY.size,
      blankId: 1,
      frames: () =>
        labels.map((label, frame) =>
          TEXTS.map((_, id) => Math.log(id === label ? shares[frame] : (1 - shares[frame]) / (TEXTS.length - 1))),
        ),
    });
    const encoder = { encode: () => Promise.reject(new Error('not asked')) };
    const from = {
      ...model,
      encoder,
      emit: (sources: readonly TokenSource[], options?: EmitOptions) => {
        emitted.push(options);
        return model.emit(sources, options);
      },
    };
    const drafter = byText({ from });
    expect(drafter.encoder).toBe(encoder);
    const encoding = { rows: 1, dispose() {} };
    const session = await drafter.open([Int32Array.of(5, 0)], { encoding, seed: 3 });
    expect(emitted).toEqual([{ encoding, signal: undefined, k: 1 }]);
    expect(session.forwards).toBe(1);
    const limit = { nodes: 40, depth: 40 };
    const draft = await proposeOne(session, { row: 0, prefix: new Int32Array(0), limit });
    expect(decode(draft.tokenIds)).toBe('the cat cat sat');
    for (const [node, share] of [0.9, 0.8, 0.6, 0.5].entries())
      expect(draft.probabilities?.[node]).toBeCloseTo(share, 5);
    // Found again behind a correction, and what the target splits in another way is as sure as copying usually is.
    const rest = await proposeOne(session, { row: 0, prefix: Int32Array.from(encode('the ca')), limit });
    expect(decode(rest.tokenIds)).toBe('t cat sat');
    expect(rest.probabilities?.[0]).toBeCloseTo(0.95, 1);
    expect(rest.probabilities?.[1]).toBeCloseTo(0.6, 5);
    const sure = await proposeOne(session, {
      row: 0,
      prefix: new Int32Array(0),
      limit: { ...limit, minProbability: 0.5 },
    });
    expect(decode(sure.tokenIds)).toBe('the cat');
    await session[Symbol.asyncDispose]();
  });

  it('refuses a lattice that is none', async () => {
    const model = scriptedLatticeModel({
      vocabularySize: VOCABULARY.size,
      blankId: 1,
      frames: () => [TEXTS.map(() => 0)],
    });
    const broken = async (change: object): Promise<unknown> => {
      const from = {
        ...model,
        emit: async (sources: readonly TokenSource[]) =>
          (await model.emit(sources, {})).map((lattice) => ({ ...lattice, ...change }) as Lattice),
      };
      return byText({ from }).open([Int32Array.of(5, 0)], {});
    };
    await expect(broken({ tokenIds: Int32Array.of(999) })).rejects.toThrow(/999/);
    await expect(broken({ logProbs: Float32Array.of(Number.NaN) })).rejects.toMatchObject({ code: 'INVALID_SCORES' });
    await expect(byText({ from: { ...model, emit: async () => [] } }).open([Int32Array.of(5)], {})).rejects.toThrow(
      /1 lattices, one for each source/,
    );
  });

  it('waits for texts that others write', async () => {
    const from = async (source: TokenSource, row: number): Promise<Int32Array> => {
      await Promise.resolve();
      return Int32Array.of(...source, 40 + row);
    };
    const session = await byText({ from }).open([Int32Array.of(5), Int32Array.of(6)], {});
    const draft = await proposeOne(session, { row: 1, prefix: new Int32Array(0), limit: { nodes: 9, depth: 9 } });
    expect([...draft.tokenIds]).toEqual([6, 41]);
    await session[Symbol.asyncDispose]();
  });

  it('is the surer the more was copied, and less so after edits', async () => {
    const source = Array.from({ length: 30 }, (_, index) => 10 + index);
    const drafter = copyDrafter({ vocabulary: VOCABULARY });
    const sure = async (prefix: readonly number[]): Promise<number> =>
      (await draftOf(drafter, source, prefix)).probabilities?.[0] as number;
    const [none, copied, edited] = [
      await sure([]),
      await sure(source.slice(0, 20)),
      await sure([3, 4, 5, 6, 7, 8, 9, ...source.slice(7, 20)]),
    ];
    expect(none).toBeCloseTo(0.95);
    expect(copied).toBeGreaterThan(none);
    expect(edited).toBeLessThan(none);
    const limit = { nodes: 40, depth: 40, minProbability: 0.5 };
    expect((await draftOf(drafter, source, [], limit)).tokenIds.length).toBe(
      Math.floor(Math.log(0.5) / Math.log(0.95)),
    );
  });

  it('depends on the prefix alone, not on those before', async () => {
    const source = encode('the cat sat on a mat of the cat');
    const anyPrefix = fc.tuple(fc.nat(source.length), fc.array(fc.integer({ min: 3, max: 110 }), { maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(fc.array(anyPrefix, { minLength: 2, maxLength: 5 }), async (prefixes) => {
        const drafter = byText({ shape: 'tree' });
        const session = await drafter.open([Int32Array.from(source)], {});
        for (const [length, strangers] of prefixes) {
          const prefix = [...source.slice(0, length), ...strangers];
          const limit = { nodes: 40, depth: 40 };
          const draft = await proposeOne(session, { row: 0, prefix: Int32Array.from(prefix), limit });
          expect(draft).toEqual(await draftOf(drafter, source, prefix, limit));
        }
        await session[Symbol.asyncDispose]();
      }),
      { numRuns: 200, seed: 4 },
    );
  });

  it('keeps the limits, and says nothing for a row that is finished', async () => {
    const session = await byText({ shape: 'tree' }).open([Int32Array.from(encode('the cat sat'))], {});
    const prefix = Int32Array.from(encode('a'));
    for (const limit of [
      { nodes: 0, depth: 0 },
      { nodes: 1, depth: 5 },
      { nodes: 5, depth: 1 },
      { nodes: 3, depth: 2 },
    ]) {
      assertWellFormed(await proposeOne(session, { row: 0, prefix, limit }), limit, VOCABULARY);
    }
    session.finish(0);
    const draft = await proposeOne(session, { row: 0, prefix, limit: { nodes: 5, depth: 5 } });
    expect(draft.tokenIds).toHaveLength(0);
    await session[Symbol.asyncDispose]();
  });

  it('refuses what it cannot use', async () => {
    const refused = (options: unknown) => () => copyDrafter(options as CopyDrafterOptions<TokenSource>);
    const vocabulary = VOCABULARY;
    expect(refused({})).toThrow(/vocabulary/);
    expect(refused({ vocabulary, shape: 'bush' })).toThrow(/shape must be tree or chain/);
    expect(refused({ vocabulary, textOf: tokenText })).toThrow(/tokenText/);
    expect(refused({ vocabulary, tokenText: 'the' })).toThrow(/tokenText must be a function/);
    expect(refused({ vocabulary, tokenText: () => 7 })).toThrow(/What tokenText returns must be a string/);
    const open = (options: object, source: unknown) =>
      copyDrafter({ vocabulary, ...options }).open([source as TokenSource], {});
    await expect(open({}, 'the cat')).rejects.toThrow(/Int32Array of token ids/);
    await expect(open({}, Int32Array.of(999))).rejects.toThrow(/outside the vocabulary/);
    await expect(open({ from: () => 'the' }, 1)).rejects.toThrow(/What from returns must be an Int32Array/);
    await expect(open({ from: async () => 'the' }, 1)).rejects.toThrow(/What from returns must be an Int32Array/);
    expect(refused({ vocabulary, from: 'the' })).toThrow(/from must be a function or a CTC model/);
    const ctc = (vocabularySize: number) => scriptedLatticeModel({ vocabularySize, blankId: 1, frames: () => [] });
    expect(refused({ vocabulary, from: ctc(9) })).toThrow(/from has 9 tokens/);
    const dag = { ...ctc(VOCABULARY.size), supports: { kind: 'dag', maxCandidates: 1 } };
    expect(refused({ vocabulary, from: dag })).toThrow(/ctc/);
    await expect(open({ from: () => Int32Array.of(-1) }, 1)).rejects.toThrow(/A token that from gives for source 0/);
  });
});

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
