import { readFile } from 'node:fs/promises';
import { beamSearch } from '@foretoken/beam';
import type { DecodeEvent } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import { ctcGreedy, dagGreedy } from '@foretoken/one-shot';
import { latticeDrafter, speculative } from '@foretoken/speculative';
import { randomScriptedModel, scriptedLatticeModel, scriptedModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  InputDecoding,
  type LoadedModel,
  loadModel,
  ModelParts,
  type OpenedPart,
  TextDeltas,
  type TextTokenizer,
  textProcessor,
} from '../src/index.js';
import { createTokenizer } from '../src/tokenizer/text-tokenizer.js';

const MODELS = new URL('../../', import.meta.url);
const folderOf = (name: string): URL => new URL(`${name}/model/`, MODELS);

async function tokenizerOf(name: string): Promise<{ readonly tokenizer: TextTokenizer; readonly size: number }> {
  const folder = folderOf(name);
  const manifest = JSON.parse(await readFile(new URL('foretoken.json', folder), 'utf8'));
  const json = await readFile(new URL(manifest.tokenizer, folder), 'utf8');
  const { vocabulary } = manifest;
  return { tokenizer: await createTokenizer(json, { vocabulary, sourceLength: 512 }), size: vocabulary.size };
}

/** Every piece that a stream gives, for an output that grows by runs of tokens. */
function pieces(textOf: (tokenIds: readonly number[]) => string, runs: readonly (readonly number[])[]): string[] {
  const deltas = new TextDeltas(textOf);
  return [...runs.map((run) => deltas.push(run)), deltas.end()];
}

describe('TextDeltas', () => {
  // SentencePiece pieces with spaces of their own, and a byte-level tokenizer, whose tokens cut characters.
  for (const name of ['model-multi30k-en-de', 'model-tinyshakespeare']) {
    it(`joins to the whole text and never breaks a character, for any tokens of ${name}`, async () => {
      const { tokenizer, size } = await tokenizerOf(name);
      const runs = fc.array(fc.array(fc.nat(size - 1), { minLength: 1, maxLength: 4 }), { maxLength: 12 });
      fc.assert(
        fc.property(runs, (tokens) => {
          const given = pieces((tokenIds) => tokenizer.decode(tokenIds), tokens);
          expect(given.join('')).toBe(tokenizer.decode(tokens.flat()));
        }),
        { numRuns: 1000, seed: 11 },
      );
    });
  }

  it('holds a character back until all its bytes are there', async () => {
    const { tokenizer } = await tokenizerOf('model-tinyshakespeare');
    const tokenIds = tokenizer.encode('naïve 🙂 café').slice(0, -1);
    const given = pieces(
      (ids) => tokenizer.decode(ids),
      Array.from(tokenIds, (tokenId) => [tokenId]),
    );
    expect(given.join('')).toBe(tokenizer.decode(tokenIds));
    for (const piece of given) expect(piece).not.toContain('\uFFFD');
  });

  it('decodes a few tokens for each that comes, however long the output', () => {
    let decoded = 0;
    const textOf = (tokenIds: readonly number[]): string => {
      decoded += tokenIds.length;
      return tokenIds.map((tokenId) => String.fromCharCode(97 + (tokenId % 26))).join('');
    };
    const deltas = new TextDeltas(textOf);
    for (let index = 0; index < 5000; index++) deltas.push([index]);
    expect(decoded).toBeLessThan(20 * 5000);
  });
});

const LETTERS = 'abcdefgh';
const letters: TextTokenizer = {
  encode: (text) => Int32Array.from([...Array.from(text, (letter) => LETTERS.indexOf(letter) + 2), 0]),
  decode: (tokenIds) => Array.from(tokenIds, (id) => LETTERS[id - 2] ?? '').join(''),
  tokenText: (id) => LETTERS[id - 2] ?? '',
  countUnknown: () => 0,
};

const decodingOf = (parts: readonly OpenedPart[], tokenizer = letters) =>
  new InputDecoding(new ModelParts(parts), textProcessor(tokenizer));

describe('text in, text out', () => {
  const echo = scriptedModel({
    vocabularySize: 10,
    score: (source, output) => Array.from({ length: 10 }, (_, id) => (id === source[output.length] ? 5 : 0)),
  });
  const text = decodingOf([{ kind: 'autoregressive', model: echo }]);

  it('gives a text its result and a list of texts theirs, in order', async () => {
    const { text: output, finishReason, source, statistics } = await text.decode('abc', greedy());
    expect(output).toBe('abc');
    expect(finishReason).toBe('end-token');
    expect([...source]).toEqual([2, 3, 4, 0]);
    expect(statistics.tokens).toBe(3);
    const many = await text.decode(['abc', 'h', 'fed'], greedy());
    expect(many.map((result) => result.text)).toEqual(['abc', 'h', 'fed']);
  });

  it('gives all hypotheses with their texts', async () => {
    const model = randomScriptedModel({ seed: 4, vocabularySize: 10 });
    const { hypotheses, ...best } = await decodingOf([{ kind: 'autoregressive', model }]).decode(
      'abc',
      beamSearch({ beamSize: 3, hypotheses: 3 }),
      { maxNewTokens: 5 },
    );
    expect(hypotheses).toHaveLength(3);
    expect(hypotheses[0]).toMatchObject({ text: best.text, tokenIds: best.tokenIds });
    for (const hypothesis of hypotheses) expect(hypothesis.text).toBe(letters.decode(hypothesis.tokenIds));
  });

  it('streams what it decodes, and tells of every event', async () => {
    const events: DecodeEvent[] = [];
    const given: string[] = [];
    for await (const piece of text.stream('abcdef', greedy(), {
      onEvent: (event) => events.push(event) && undefined,
    })) {
      given.push(piece);
    }
    // A letter is given out once three more tokens have left it as it was.
    expect(given).toEqual(['a', 'b', 'c', 'def']);
    expect(events.at(-1)?.type).toBe('decode-end');
  });

  it('streams at the end what stays incomplete, so that the pieces are the whole text', async () => {
    // The last letter reads as a character of which a byte is missing.
    const cut: TextTokenizer = { ...letters, decode: (tokenIds) => letters.decode(tokenIds).replaceAll('h', '\uFFFD') };
    const decoding = decodingOf([{ kind: 'autoregressive', model: echo }], cut);
    for (const source of ['abh', 'h', 'ahhb']) {
      const given: string[] = [];
      for await (const piece of decoding.stream(source, greedy())) given.push(piece);
      expect(given.join('')).toBe((await decoding.decode(source, greedy())).text);
      expect(given).not.toContain('');
    }
  });

  it('gives a decoder the kind of lattice that it asks for, whichever comes first', async () => {
    const frames = (source: ArrayLike<number>) =>
      Array.from(source, (id) => Array.from({ length: 11 }, (_, label) => (label === id ? 9 : 0)));
    const ctc = scriptedLatticeModel({ vocabularySize: 10, blankId: 10, frames });
    const dag: typeof ctc = {
      ...ctc,
      supports: { kind: 'dag', maxCandidates: 10 },
      emit: () => Promise.reject(new Error('the DAG model was asked')),
    };
    for (const lattices of [
      [dag, ctc],
      [ctc, dag],
    ]) {
      const decoding = decodingOf(lattices.map((model) => ({ kind: 'lattice', model })));
      expect((await decoding.decode('abc', ctcGreedy())).text).toBe('abc');
      await expect(decoding.decode('abc', dagGreedy())).rejects.toThrow('the DAG model was asked');
    }
    const only = decodingOf([{ kind: 'lattice', model: dag }]);
    await expect(only.decode('abc', ctcGreedy())).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
  });

  it('hands on limits, stops, seed and signal', async () => {
    expect((await text.decode('abcdef', greedy(), { maxNewTokens: 2 })).text).toBe('ab');
    const limited = await text.decode(['abcdef', 'fedcba'], greedy(), { maxNewTokens: [1, 3], minNewTokens: [0, 2] });
    expect(limited.map((result) => result.text)).toEqual(['a', 'fed']);
    await expect(text.decode(['a', 'b'], greedy(), { maxNewTokens: [1] })).rejects.toThrow(/one entry a source, 2/);
    expect((await text.decode('abcdef', greedy(), { stopStrings: ['cd'] })).finishReason).toBe('stop-string');
    const model = decodingOf([{ kind: 'autoregressive', model: randomScriptedModel({ seed: 9, vocabularySize: 10 }) }]);
    const draw = async (seed: number): Promise<string> => (await model.decode('ab', sampling(), { seed })).text;
    expect(await draw(3)).toBe(await draw(3));
    const drawn = new Set(await Promise.all([1, 2, 3, 4, 5, 6].map(draw)));
    expect(drawn.size).toBeGreaterThan(1);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(text.decode('abc', greedy(), { signal })).rejects.toThrow('enough');
    await expect(text.stream('abc', greedy(), { signal })[Symbol.asyncIterator]().next()).rejects.toThrow('enough');
  });

  it('names what a folder has where a decoder needs another part, and refuses what is no decoder', async () => {
    await expect(text.decode('abc', ctcGreedy())).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      message: expect.stringContaining('this model has: autoregressive model'),
    });
    for (const decoder of [undefined, null, 3, greedy, {}]) {
      await expect(text.decode('abc', decoder as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    for (const input of [undefined, 3, null, [3], ['a', undefined]]) {
      await expect(text.decode(input as never, greedy())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(text.decode('abc', greedy(), { maxTokens: 3 } as never)).rejects.toThrow(/maxNewTokens/);
  });
});

describe('a loaded folder', () => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await loadModel(folderOf('model-multi30k-en-de').pathname, { probe: false });
  });
  afterAll(() => model[Symbol.asyncDispose]());

  it('translates, in one call and in pieces, by any strategy it has the part for', async () => {
    const drafter = latticeDrafter(model.speculation());
    const input = 'A man is riding a bicycle.';
    const { text, unknownTokens } = await model.decode(input, greedy());
    expect(text).toMatch(/^Ein Mann fährt /);
    expect(unknownTokens).toBe(0);
    expect((await model.decode(input, speculative({ drafter }))).text).toBe(text);
    expect((await model.decode(input, ctcGreedy())).text).toMatch(/^Ein Mann /);
    let joined = '';
    for await (const piece of model.stream(input, speculative({ drafter }))) joined += piece;
    expect(joined).toBe(text);
  });

  it('says what speculation lacks', async () => {
    await using masked = await loadModel(folderOf('model-tinyshakespeare').pathname, { probe: false });
    expect(() => masked.speculation()).toThrowError(
      expect.objectContaining({
        code: 'UNSUPPORTED_CAPABILITY',
        message: expect.stringMatching(/autoregressive.*CTC/),
      }),
    );
  });
});
