import { greedy } from '@foretoken/greedy';
import { levenshtein, maskPredict } from '@foretoken/refine';
import { randomScriptedModel, scriptedCanvasModel, scriptedEditModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { InputDecoding, type InputOptions, ModelParts, type Processor, textProcessor } from '../src/index.js';
import type { TextUse } from '../src/tokenizer/text-use.js';

const SIZE = 12;
const LETTERS = 'abcdefgh';
const [START, END, MASK] = [1, 0, 2];
const letters = {
  encode: (text: string, use: TextUse = 'source') => {
    const own = Array.from(text, (letter) => LETTERS.indexOf(letter) + 3);
    return Int32Array.from(use === 'source' ? [...own, END] : own);
  },
  decode: (tokenIds: ArrayLike<number>) => Array.from(tokenIds, (id) => LETTERS[id - 3] ?? '').join(''),
  countUnknown: () => 0,
};

/** A model that keeps what it is given, and what it was given at first. */
function keeping(): { readonly parts: ModelParts; readonly begun: string[] } {
  const begun: string[] = [];
  const edit = scriptedEditModel({
    vocabularySize: SIZE,
    startTokenId: START,
    endTokenId: END,
    placeholderTokenId: MASK,
    deletions: (_source, canvas) => {
      begun.push(letters.decode(canvas));
      return new Float32Array(canvas.length).fill(0.1);
    },
    placeholders: (_source, canvas) => new Int32Array(canvas.length - 1),
    score: () => new Array<number>(SIZE).fill(0),
  });
  const canvas = scriptedCanvasModel({
    vocabularySize: SIZE,
    score: () => Array.from({ length: SIZE }, (_, id) => (id === 5 ? 9 : 0)),
    lengths: () => [0, 1],
  });
  const autoregressive = randomScriptedModel({ seed: 1, vocabularySize: SIZE });
  return {
    begun,
    parts: new ModelParts([
      { kind: 'edit', model: edit },
      { kind: 'canvas', model: canvas },
      { kind: 'autoregressive', model: autoregressive },
    ]),
  };
}

describe('outputs to start from, given with texts', () => {
  it('are texts as outputs have them, token ids, or nothing, one an input', async () => {
    const { parts, begun } = keeping();
    const decoding = new InputDecoding(parts, textProcessor(letters));
    const initialOutputs = ['gab', Int32Array.of(4, 4), '', ' '];
    const results = await decoding.decode(['a', 'b', 'c', 'd'], levenshtein(), { initialOutputs });
    expect(results.map(({ text }) => text)).toEqual(['gab', 'bb', '', '']);
    expect(begun).toEqual(expect.arrayContaining(['gab', 'bb']));
    expect((await decoding.decode('a', levenshtein(), { initialOutputs: ['had'] })).text).toBe('had');
    let streamed = '';
    for await (const piece of decoding.stream('a', levenshtein(), { initialOutputs: ['cab'] })) streamed += piece;
    expect(streamed).toBe('cab');
  });

  it.each<readonly [InputOptions, string, RegExp]>([
    [{ initialOutputs: 'gab' as never }, 'INVALID_ARGUMENT', /initialOutputs must be an array/],
    [{ initialOutputs: [[4, 4]] as never }, 'INVALID_ARGUMENT', /initialOutputs\[0\] must be a text, or an Int32Array/],
    [{ initialOutputs: ['a', 'b'] }, 'INVALID_ARGUMENT', /initialOutputs must have one entry a source, 1, but has 2/],
    [{ initialOutputs: [] }, 'INVALID_ARGUMENT', /initialOutputs must have one entry a source, 1, but has 0/],
    [{ initialOutputs: [Int32Array.of(4, END)] }, 'INVALID_ARGUMENT', /initialOutputs/],
    [{ initialOutputs: ['a'.repeat(100)] }, 'LENGTH_LIMIT', /initialOutputs/],
    [{ initialOutput: ['a'] } as never, 'INVALID_ARGUMENT', /Did you mean initialOutputs\?/],
  ])('%j are refused', async (options, code, message) => {
    const { parts, begun } = keeping();
    const decoding = new InputDecoding(parts, textProcessor(letters));
    const refused = decoding.decode('a', levenshtein(), options);
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(begun).toEqual([]);
  });

  it('may be token ids only where a processor reads no outputs', async () => {
    const { parts } = keeping();
    const { readOutput: _, ...processor } = textProcessor(letters);
    const decoding = new InputDecoding(parts, processor);
    const given = Int32Array.of(4, 4);
    expect((await decoding.decode('a', levenshtein(), { initialOutputs: [given] })).text).toBe('bb');
    const refused = decoding.decode('a', levenshtein(), { initialOutputs: ['bb'] });
    await expect(refused).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      message: expect.stringContaining('Give initialOutputs as Int32Arrays of token ids.'),
    });
    const wrong = new InputDecoding(parts, { ...processor, readOutput: () => [4] as never });
    const odd = wrong.decode('a', levenshtein(), { initialOutputs: ['bb'] });
    await expect(odd).rejects.toThrow(/What processor.readOutput returns must be an Int32Array/);
  });
});

describe('lengths, given with texts', () => {
  it('are one number for all inputs, or one each', async () => {
    const decoding = new InputDecoding(keeping().parts, textProcessor(letters));
    const lengthsOf = async (lengths: number | readonly number[]): Promise<number[]> => {
      const results = await decoding.decode(['a', 'b', 'c'], maskPredict(), { lengths });
      return results.map(({ tokenIds }) => tokenIds.length);
    };
    expect(await lengthsOf(4)).toEqual([4, 4, 4]);
    expect(await lengthsOf([2, 5, 3])).toEqual([2, 5, 3]);
    for (const lengths of [[2, 5], 0, [2, 0, 3], 1.5, '4' as never]) {
      await expect(lengthsOf(lengths)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('lengths'),
      });
    }
    await expect(decoding.decode('a', maskPredict(), { lengths: 999 })).rejects.toThrow(/999 positions/);
  });
});

describe('what a strategy cannot use', () => {
  it.each<readonly [string, InputOptions]>([
    ['initialOutputs', { initialOutputs: ['a'] }],
    ['lengths', { lengths: 3 }],
  ])('%s is refused by name before an input is read', async (option, options) => {
    const text = textProcessor(letters);
    const unread: Processor = {
      ...text,
      read: () => {
        throw new Error('an input was read');
      },
    };
    const decoding = new InputDecoding(keeping().parts, unread);
    const expected = {
      code: 'UNSUPPORTED_CAPABILITY',
      message: expect.stringContaining(`greedy cannot use ${option}.`),
      details: { decoder: 'greedy', capability: option, option },
    };
    await expect(decoding.decode('a', greedy(), options)).rejects.toMatchObject(expected);
    await expect(decoding.decode(['a', 'b'], greedy(), options)).rejects.toMatchObject(expected);
    const pieces = decoding.stream('a', greedy(), options)[Symbol.asyncIterator]();
    await expect(pieces.next()).rejects.toMatchObject(expected);
  });
});
