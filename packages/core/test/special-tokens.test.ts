import { collect, type EditModel, ForetokenError, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { dagGreedy, nat } from '@foretoken/one-shot';
import { levenshtein } from '@foretoken/refine';
import { randomCanvasScore, randomScriptedModel, scriptedCanvasModel, scriptedEditModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const SIZE = 9;
const sources = [Int32Array.of(5, 2)];
const canvas = scriptedCanvasModel({
  vocabularySize: SIZE,
  score: randomCanvasScore({ seed: 1, vocabularySize: SIZE }),
  lengths: () => [0, 0, 1],
});
const edit = scriptedEditModel({
  vocabularySize: SIZE,
  startTokenId: 7,
  endTokenId: 0,
  placeholderTokenId: 8,
  deletions: (_, tokenIds) => new Float32Array(tokenIds.length),
  placeholders: (_, tokenIds) => new Int32Array(tokenIds.length - 1),
  score: randomCanvasScore({ seed: 1, vocabularySize: SIZE }),
});
const dag = {
  vocabulary: { size: SIZE, endTokenId: 0 },
  supports: { kind: 'dag', maxCandidates: 1 },
  emit: () => Promise.reject(new Error('the model was asked')),
} as const;
const next = randomScriptedModel({ seed: 1, vocabularySize: SIZE });

const never = { open: () => Promise.reject(new Error('the model was opened')) };
const OUTSIDE = [-1, SIZE, 1.5, '3', Number.NaN, null];

const codeOf = async (decode: () => Promise<unknown>): Promise<string> => {
  const error: unknown = await decode().catch((thrown: unknown) => thrown);
  return ForetokenError.isInstance(error) ? error.code : String(error);
};

describe('special tokens of a model', () => {
  const models: Readonly<Record<string, (wrong: unknown) => () => Promise<unknown>>> = {
    'the mask': (wrong) => () =>
      collect(nat().decode({ ...canvas, ...never, maskTokenId: wrong as number }, { sources })),
    'the placeholder': (wrong) => () =>
      collect(levenshtein().decode({ ...edit, ...never, placeholderTokenId: wrong as number }, { sources })),
    'the start of edited canvases': (wrong) => () =>
      collect(levenshtein().decode({ ...edit, ...never, startTokenId: wrong as number }, { sources })),
    'the start of paths through a DAG': (wrong) => () =>
      collect(dagGreedy().decode({ ...dag, startTokenId: wrong as number }, { sources })),
  };
  it.each(Object.entries(models))('%s is checked against the vocabulary before any compute', async (_, decode) => {
    for (const wrong of OUTSIDE)
      expect(await codeOf(decode(wrong))).toMatch(/^(INVALID_ARGUMENT|UNSUPPORTED_CAPABILITY)$/);
    expect(await codeOf(decode(SIZE))).toBe('INVALID_ARGUMENT');
  });

  it.each(['endTokenId', 'padTokenId', 'unknownTokenId'])('vocabulary.%s is checked for every kind', async (name) => {
    for (const wrong of OUTSIDE) {
      const vocabulary = { size: SIZE, endTokenId: 0, [name]: wrong };
      for (const decode of [
        () => collect(greedy().decode({ ...next, ...never, vocabulary }, { sources })),
        () => collect(nat().decode({ ...canvas, ...never, vocabulary }, { sources })),
        () => collect(levenshtein().decode({ ...edit, ...never, vocabulary }, { sources })),
        () => collect(dagGreedy().decode({ ...dag, vocabulary }, { sources })),
      ]) {
        expect(await codeOf(decode)).toBe('INVALID_ARGUMENT');
      }
    }
  });

  it('have one meaning each', async () => {
    const edits = (more: Partial<EditModel<TokenSource>>) => () =>
      collect(levenshtein().decode({ ...edit, ...never, ...more }, { sources }));
    expect(await codeOf(() => collect(nat().decode({ ...canvas, ...never, maskTokenId: 0 }, { sources })))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await codeOf(edits({ placeholderTokenId: 7 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(edits({ startTokenId: 0 }))).toBe('INVALID_ARGUMENT');
  });
});

describe('an edit model', () => {
  const decode = (more: Partial<EditModel<TokenSource>>) => () =>
    collect(levenshtein().decode({ ...edit, ...never, ...more }, { sources }));

  it('that offers less than a strategy needs is refused before it is opened', async () => {
    for (const supports of [
      { outputs: ['argmax'], maxCandidates: 0 },
      { outputs: ['topK'], maxCandidates: 1 },
    ] as const) {
      expect(await codeOf(decode({ supports }))).toBe('UNSUPPORTED_CAPABILITY');
    }
    expect(await codeOf(decode({ supports: undefined as never }))).toBe('UNSUPPORTED_CAPABILITY');
  });

  it('has room for the boundaries of its canvases', async () => {
    expect(await codeOf(decode({ maxLength: 1 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(decode({ maxLength: 2 }))).toBe('Error: the model was opened');
  });
});
