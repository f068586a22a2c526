import type { Drafter, DraftTree, EmitOptions, Lattice, TokenSource } from '@foretoken/core';
import { assertWellFormed, proposeOne, scriptedLatticeModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CopyDrafterOptions, copyDrafter } from '../src/index.js';
import { decode, encode, TEXTS, tokenText, VOCABULARY } from './copied-texts.js';

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
    const { tokenIds, parents, probabilities } = await draftOf(
      copyDrafter({ vocabulary: VOCABULARY, shape: 'tree' }),
      [5, 6, 7, 8],
      [5, 50],
    );
    // Replaced, or put in.
    expect([...tokenIds].filter((_, node) => parents[node] === -1)).toEqual([7, 6]);
    expect(tokenIds).toHaveLength(5);
    // One of two tokens was copied, and 9.5 of 10 are taken to be: so sure it is that one of the two branches is right.
    const first = [...(probabilities ?? [])].filter((_, node) => parents[node] === -1);
    expect(first.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(10.5 / 12, 5);
  });

  it('finds a place the less probable the more edits lead there', async () => {
    const { tokenIds, parents, probabilities } = await draftOf(
      byText({ shape: 'tree' }),
      encode('the cat'),
      encode('thex'),
    );
    const first = [...tokenIds.keys()].filter((node) => parents[node] === -1);
    // A letter was put in, or took the place of the space, which is dearer by one.
    expect(first.map((node) => tokenText(tokenIds[node]))).toEqual([' cat', 'c']);
    expect(Number(probabilities?.[first[1]]) / Number(probabilities?.[first[0]])).toBeCloseTo(0.6, 5);
  });

  it('drafts nothing of an empty source', async () => {
    expect((await draftOf(copyDrafter({ vocabulary: VOCABULARY }), [], [])).tokenIds).toHaveLength(0);
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
      /1 ctc lattices, one for each source/,
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
