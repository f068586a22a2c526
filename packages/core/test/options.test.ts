import { beamSearch } from '@foretoken/beam';
import { type DecodeRequest, ForetokenError } from '@foretoken/core';
import {
  assertAutoregressive,
  assertCanvas,
  assertEdit,
  assertLattice,
  assertRequest,
  assertTokenSources,
  checkOptions,
  flag,
  integer,
  number,
  numberMap,
  type OptionTable,
} from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import { ctcGreedy, ctcPrefixBeam, dagSampling, nat } from '@foretoken/one-shot';
import { levenshtein, maskPredict } from '@foretoken/refine';
import { speculative } from '@foretoken/speculative';
import { randomScriptedModel } from '@foretoken/testkit';
import { describe, expect, it, vi } from 'vitest';

interface Options {
  readonly beamSize?: number;
  readonly patience?: number;
  readonly scores?: boolean;
}

const TABLE: OptionTable<Options> = { beamSize: integer(1, 8), patience: number(0, 4), scores: flag };

// The compiler holds the table to the interface.
// @ts-expect-error `scores` is missing.
export const LACKING: OptionTable<Options> = { beamSize: integer(1), patience: number(0, 4) };
// @ts-expect-error `more` is too many.
export const TOO_MANY: OptionTable<Options> = { ...TABLE, more: flag };
// @ts-expect-error A flag is no number.
export const OTHER: OptionTable<Options> = { ...TABLE, beamSize: flag };

const refused = (run: () => unknown): ForetokenError => {
  try {
    run();
  } catch (error) {
    if (ForetokenError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
};

const SOURCES = [Int32Array.of(1, 2)];
const model = randomScriptedModel({ seed: 1, vocabularySize: 6 });

describe('options', () => {
  it.each([
    [() => beamSearch({ num_beams: 4 } as never), 'Did you mean beamSize?'],
    [() => beamSearch({ beamsize: 4 } as never), 'Did you mean beamSize?'],
    [() => beamSearch({ beamSzie: 4 } as never), 'Did you mean beamSize?'],
    [() => beamSearch({ length_penalty: 4 } as never), 'Did you mean lengthPenalty?'],
    [() => greedy({ max_new_tokens: 4 } as never), 'maxNewTokens is taken by: decode, in its request.'],
    [() => greedy({ temperature: 1 } as never), 'temperature is taken by: sampling; dagSampling; maskedDiffusion.'],
    [() => greedy({ num_beams: 4 } as never), 'beamSize is taken by: beamSearch;'],
    [() => sampling({ top_k: 4 } as never), 'Did you mean topK?'],
    [() => sampling({ samples: 4 } as never), 'Did you mean hypotheses?'],
    [() => dagSampling({ samples: 4 } as never), 'Did you mean hypotheses?'],
    [() => ctcPrefixBeam({ noRepeatNgram: 4 } as never), 'Did you mean noRepeatNgramSize?'],
    [() => ctcPrefixBeam({ rescore: {} } as never), 'Did you mean rescoring?'],
    [() => ctcPrefixBeam({ ngrams: {} } as never), 'Did you mean languageModel?'],
    [() => nat({ rescore: {} } as never), 'Did you mean rescoring?'],
    [() => nat({ noRepeat: true } as never), 'Did you mean noAdjacentRepeats?'],
    [() => maskPredict({ leastMasked: 1 } as never), 'Did you mean minMasked?'],
    [
      () => speculative({ repetitionPenalty: 4 } as never),
      'repetitionPenalty is taken by: greedy, sampling and beamSearch.',
    ],
    [() => assertRequest({ sources: SOURCES, max_new_tokens: 4 } as never), 'Did you mean maxNewTokens?'],
    [() => assertRequest({ source: SOURCES } as never), 'Did you mean sources?'],
  ])('%s is refused with %j', (run, hint) => {
    const { code, message } = refused(run);
    expect(code).toBe('INVALID_ARGUMENT');
    expect(message).toContain(hint);
  });

  it('names the nearest value of those that an option has', () => {
    expect(refused(() => beamSearch({ stopWhen: 'improvment-impossible' } as never)).message).toMatch(
      /^stopWhen must be .*, but was "improvment-impossible"\. Did you mean improvement-impossible\?$/,
    );
    for (const far of ['sometimes', '', 3, null]) {
      expect(refused(() => beamSearch({ stopWhen: far } as never)).message).not.toContain('Did you mean');
    }
  });

  it('names what was received and what is required', () => {
    const { message, details } = refused(() => checkOptions('search', { beamSize: '4' } as never, TABLE));
    expect(message).toBe('beamSize must be an integer from 1 to 8, but was "4".');
    expect(details).toMatchObject({ option: 'beamSize', received: '4' });
    expect(refused(() => checkOptions('search', null as never, TABLE)).message).toContain('null');
    expect(refused(() => checkOptions('search', [] as never, TABLE)).message).toContain('an array of 0');
    expect(refused(() => checkOptions('search', {}, TABLE, ['beamSize'])).message).toContain('search needs beamSize');
    expect(refused(() => checkOptions('search', JSON.parse('{"__proto__": 1}'), TABLE)).code).toBe('INVALID_ARGUMENT');
  });

  it('are read once, and undefined is left out', () => {
    let reads = 0;
    const options = {
      get beamSize() {
        return ++reads;
      },
      patience: undefined,
    };
    expect(checkOptions('search', options as never, TABLE)).toEqual({ beamSize: 1 });
    expect(reads).toBe(1);
  });

  it('take numbers by token id as a Map or a plain object, alike', () => {
    const read = numberMap(number(-9, 9));
    expect(read('logitBias', { 7: -2 })).toEqual(new Map([[7, -2]]));
    expect(read('logitBias', new Map([[7, -2]]))).toEqual(new Map([[7, -2]]));
    for (const wrong of [
      [[7, 2]],
      { a: 1 },
      { '1.5': 1 },
      { '-1': 1 },
      { '01': 1 },
      new Map([['7', Number.NaN]]),
      null,
    ]) {
      expect(refused(() => read('logitBias', wrong)).code).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('requests', () => {
  const bad = (request: object): ForetokenError => refused(() => assertRequest(request as DecodeRequest<Int32Array>));

  it('are looked at field by field', () => {
    expect(bad({ sources: Int32Array.of(1) }).message).toContain('sources must be an array');
    expect(bad({ sources: [] }).code).toBe('EMPTY_SOURCE');
    expect(bad({ sources: new Array(1) }).message).toContain('sources[0]');
    expect(bad({ sources: SOURCES, stopStrings: { strings: ['a'], textOf: 1 } }).message).toContain(
      'stopStrings.textOf',
    );
    expect(bad({ sources: SOURCES, stopStrings: { strings: 'a', textOf: String } }).message).toContain(
      'stopStrings.strings',
    );
    expect(bad({ sources: SOURCES, stopSequences: [[1]] }).message).toContain('stopSequences[0]');
    expect(bad({ sources: SOURCES, outputPrefixes: [[1]] }).message).toContain('outputPrefixes[0]');
    expect(bad({ sources: SOURCES, seed: 1n }).message).toContain('1n');
    expect(bad({ sources: SOURCES, signal: new AbortController() }).message).toContain('AbortSignal');
  });

  it('look at an abort before all else', () => {
    const aborted = { sources: 5, num_beams: 1, signal: AbortSignal.abort('stopped') };
    expect(() => assertRequest(aborted as never)).toThrow('stopped');
  });

  it('have sources that a model of token ids reads as they are, or refuses', () => {
    const detached = Int32Array.of(1);
    structuredClone(detached, { transfer: [detached.buffer] });
    for (const source of [
      Float64Array.of(5.9),
      [1],
      'ein Hund',
      null,
      5.9,
      BigInt64Array.of(1n),
      detached,
      new Proxy(Int32Array.of(1), {}),
    ]) {
      expect(refused(() => assertTokenSources([source])).code).toBe('INVALID_ARGUMENT');
    }
    expect(refused(() => assertTokenSources([Int32Array.of(9)], { vocabularySize: 9 })).code).toBe('INVALID_ARGUMENT');
    assertTokenSources([new Int32Array(new SharedArrayBuffer(8))], { vocabularySize: 9 });
  });
});

describe('callbacks', () => {
  it.each([
    ['an async processor', { processors: [async () => Promise.reject(new Error('rejected'))] }, {}],
    [
      'an async text of stop strings',
      {},
      { stopStrings: { strings: ['a'], textOf: () => Promise.reject(new Error('rejected')) } },
    ],
  ])('%s is refused, and its rejection ends nothing', async (_what, options, request) => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const decode = async (): Promise<void> => {
      const events = greedy(options as never).decode(model, { sources: SOURCES, ...request } as never);
      for await (const event of events) void event;
    };
    await expect(decode()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/promise/i),
    });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('model checks', () => {
  it('throw for a decoder of another kind, whatever the model', () => {
    const checks = { assertAutoregressive, assertCanvas, assertLattice, assertEdit };
    const decoders = {
      assertAutoregressive: greedy(),
      assertCanvas: maskPredict(),
      assertLattice: ctcGreedy(),
      assertEdit: levenshtein(),
    };
    for (const [own, decoder] of Object.entries(decoders)) {
      for (const [name, check] of Object.entries(checks)) {
        // No check passes here: either the decoder is of another kind, or the model is none.
        expect(refused(() => check(decoder, {})).code, `${name} of ${own}`).toBe('UNSUPPORTED_CAPABILITY');
      }
    }
    assertAutoregressive(greedy(), model);
  });
});
