import { ForetokenError } from '@foretoken/core';
import { canvasOptions, emitOptions, forestOptions, joinOptions, refuseEncoding } from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';

const encoding = { rows: 1, dispose() {} };
const CHECKS = { forestOptions, canvasOptions, emitOptions, joinOptions } as const;

describe('options of models', () => {
  it.each(Object.entries(CHECKS))('are taken by %s as they are, or none', (_, check) => {
    const { signal } = new AbortController();
    expect(check()).toEqual({});
    expect(check({ encoding, signal })).toEqual({ encoding, signal });
    expect(check({ encoding: undefined })).toEqual({});
  });

  it.each(Object.entries(CHECKS))('of a wrong type are refused by %s, and an aborted signal ends it', (_, check) => {
    for (const wrong of [null, 5, 'x', [], new Date(), { signal: 5 }, { signal: {} }, { encoding: 5 }]) {
      expect(() => check(wrong as never)).toThrow(ForetokenError);
    }
    expect(() => check({ signal: AbortSignal.abort('enough') })).toThrow('enough');
  });

  it('that do not exist are answered with the nearest that does', () => {
    expect(() => forestOptions({ joinin: true } as never)).toThrow(/takes no joinin. Did you mean joining\?/);
    expect(() => emitOptions({ kk: 2 } as never)).toThrow(/takes no kk. It takes: encoding, signal, k\./);
    expect(() => canvasOptions({ hint: [] } as never)).toThrow(/takes no hint. Did you mean hints\?/);
    expect(() => joinOptions({ abortSignal: undefined } as never)).toThrow(/Did you mean signal\?/);
    expect(() => forestOptions({ joining: 1 } as never)).toThrow(/joining must be true or false/);
    expect(() => emitOptions({ k: 0 })).toThrow(/k must be an integer of at least 1/);
    expect(() => canvasOptions({ hints: 5 } as never)).toThrow(ForetokenError);
  });

  it('say that a model without an encoder to share takes no encoding', () => {
    expect(() => refuseEncoding({ encoding })).toThrow(/no encoding can be of it/);
    expect(() => refuseEncoding({})).not.toThrow();
  });
});
