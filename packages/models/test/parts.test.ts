import { greedy } from '@foretoken/greedy';
import { ctcGreedy, dagGreedy } from '@foretoken/one-shot';
import { latticeDrafter } from '@foretoken/speculative';
import { randomScriptedModel, scriptedCanvasModel, scriptedLatticeModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { InputDecoding, ModelParts, type OpenedPart, textProcessor } from '../src/index.js';

const SIZE = 8;
const target = randomScriptedModel({ seed: 1, vocabularySize: SIZE, maxLength: 8 });
/** Says its source, moved on by a number. */
const ctc = (shift: number) =>
  scriptedLatticeModel({
    vocabularySize: SIZE,
    blankId: SIZE,
    frames: (source) =>
      Array.from(source, (id) => Array.from({ length: SIZE + 1 }, (_, k) => (k === id + shift ? 9 : 0))),
  });
const dag: ReturnType<typeof ctc> = {
  ...ctc(0),
  supports: { kind: 'dag', maxCandidates: SIZE },
  emit: () => Promise.reject(new Error('the DAG model was asked')),
};
const canvas = scriptedCanvasModel({
  vocabularySize: SIZE,
  score: () => new Array<number>(SIZE).fill(0),
  lengths: () => [0, 1],
});

const [exact, fast, draft] = [ctc(0), ctc(1), ctc(2)];
const ALL: readonly OpenedPart[] = [
  { kind: 'autoregressive', model: target },
  { kind: 'lattice', model: dag },
  { kind: 'lattice', model: exact },
  { kind: 'lattice', variant: 'fast', model: fast },
  { kind: 'lattice', variant: 'draft', model: draft },
  { kind: 'canvas', model: canvas },
];
const parts = new ModelParts(ALL, '/models/all');

describe('parts of a model', () => {
  it('are found by kind, variant and kind of lattice', () => {
    expect(parts.part('autoregressive')).toBe(target);
    expect(parts.part('canvas', { variant: 'exact' })).toBe(canvas);
    expect(parts.part('lattice', { variant: 'fast' })).toBe(fast);
    expect(parts.part('lattice', { lattice: 'ctc' })).toBe(exact);
    expect(parts.part('lattice', { lattice: 'ctc', variant: 'draft' })).toBe(draft);
    expect(parts.part('lattice', { lattice: 'dag', variant: undefined })).toBe(dag);
    // The first of the folder.
    expect(parts.part('lattice')).toBe(dag);
    expect(parts.names).toContainEqual({ kind: 'lattice', lattice: 'ctc', variant: 'fast' });
  });

  it('that are missing are a typed error that says what there is, or undefined for those who ask so', () => {
    const offered = [
      'autoregressive model',
      'DAG lattice model',
      'CTC lattice model',
      'CTC lattice model (fast)',
      'CTC lattice model (draft)',
      'canvas model',
    ];
    for (const [kind, options, capability] of [
      ['edit', {}, 'edit model'],
      ['languageModel', {}, 'language model'],
      ['canvas', { variant: 'fast' }, 'canvas model (fast)'],
      ['lattice', { lattice: 'dag', variant: 'fast' }, 'DAG lattice model (fast)'],
      ['lattice', { variant: 'tiny' }, 'lattice model (tiny)'],
    ] as const) {
      expect(() => parts.part(kind, options)).toThrowError(
        expect.objectContaining({
          code: 'UNSUPPORTED_CAPABILITY',
          message: `/models/all has no ${capability}. It has: ${offered.join(', ')}.`,
          details: { folder: '/models/all', capability, offered },
        }),
      );
      expect(parts.find(kind, options)).toBeUndefined();
    }
    expect(() => new ModelParts([]).part('canvas')).toThrow('It has: nothing.');
  });

  it.each([
    ['lattices', {}],
    [undefined, {}],
    ['toString', {}],
    ['__proto__', {}],
    [3, {}],
    ['lattice', { variants: 'fast' }],
    ['lattice', { variant: 3 }],
    ['lattice', { lattice: 'hmm' }],
    ['lattice', null],
    ['lattice', 'fast'],
    ['canvas', { lattice: 'ctc' }],
  ])('%j with %j is refused', (kind, options) => {
    for (const ask of [parts.part, parts.find]) {
      expect(() => ask.call(parts, kind as never, options as never)).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });

  it.each([
    ['autoregresive', 'autoregressive'],
    ['Canvas', 'canvas'],
    ['language-model', 'languageModel'],
    ['latice', 'lattice'],
  ])('of the kind %s are refused with the nearest kind, %s', (kind, nearest) => {
    for (const ask of [parts.part, parts.find]) {
      expect(() => ask.call(parts, kind as never)).toThrow(`but was "${kind}". Did you mean ${nearest}?`);
    }
    expect(() => parts.part('lattice', { lattice: 'dagg' as never })).toThrow('but was "dagg". Did you mean dag?');
  });

  it('of one name, or of a kind that does not exist, are refused', () => {
    const twice: OpenedPart[] = [...ALL, { kind: 'lattice', variant: 'exact', model: exact }];
    expect(() => new ModelParts(twice)).toThrow(/two parts of the name CTC lattice model/);
    const wrongKind = [
      { kind: 'autoregressive', model: target },
      { kind: 'canvas', model: exact },
    ];
    expect(() => new ModelParts(wrongKind as never)).toThrow(/parts\[1\]\.model must be canvas model/);
    expect(() => new ModelParts([{ kind: 'graph', model: exact } as never])).toThrow(
      /kind must be autoregressive or lattice or .*, but was "graph"/,
    );
  });

  it('give what speculation needs: the drafting variant, or the exact one, or say what is missing', () => {
    expect(parts.speculation()).toEqual({ model: draft, languageModel: undefined });
    latticeDrafter(parts.speculation());
    expect(() => parts.speculation({ x: 1 } as never)).toThrowError('speculation takes no x. It takes: nothing.');
    expect(() => parts.speculation(null as never)).toThrowError(/takes a plain object/);
    expect(() => parts.part('lattice', { varian: 'x' } as never)).toThrowError(
      /^part\("lattice"\) takes no varian. Did you mean/,
    );
    const without = (variant: string) => new ModelParts(ALL.filter((part) => part.variant !== variant));
    expect(without('draft').speculation().model).toBe(exact);
    const none = new ModelParts([{ kind: 'lattice', model: dag }]);
    expect(() => none.speculation()).toThrowError(
      expect.objectContaining({
        code: 'UNSUPPORTED_CAPABILITY',
        message: expect.stringMatching(/autoregressive.*CTC.*ngramDrafter/),
        details: expect.objectContaining({ offered: ['DAG lattice model'] }),
      }),
    );
  });
});

describe('decode chooses a part', () => {
  const digits = {
    encode: (text: string) => Int32Array.from(text, Number),
    decode: (tokenIds: ArrayLike<number>) => Array.from(tokenIds).join(''),
    countUnknown: () => 0,
  };
  const decoding = new InputDecoding(parts, textProcessor(digits));

  it('of the kind and the variant', async () => {
    expect((await decoding.decode('123', ctcGreedy())).text).toBe('123');
    expect((await decoding.decode('123', ctcGreedy(), { variant: 'fast' })).text).toBe('234');
    await expect(decoding.decode('123', dagGreedy())).rejects.toThrow('the DAG model was asked');
    let streamed = '';
    for await (const piece of decoding.stream('123', ctcGreedy(), { variant: 'draft' })) streamed += piece;
    expect(streamed).toBe('345');
  });

  it('and says what the folder has where it lacks one', async () => {
    await expect(decoding.decode('123', dagGreedy(), { variant: 'fast' })).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      message: expect.stringContaining('needs a part of the kind DAG lattice model (fast). /models/all has: autoreg'),
    });
    await expect(decoding.decode('123', greedy(), { variant: 'draft' })).rejects.toThrow(
      'autoregressive model (draft)',
    );
  });
});
