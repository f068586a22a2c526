import { collect, type Drafter, type TokenForest, ROOT } from '@foretoken/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type * as Accept from '../src/accept.js';
import type * as Row from '../src/speculative-row.js';
import type { speculative } from '../src/speculative.js';

/** Loads the decoder with the modules that the mutant replaced. */
async function load(): Promise<typeof speculative> {
  return (await import('../src/speculative.js')).speculative;
}

afterEach(() => {
  vi.doUnmock('../src/accept.js');
  vi.doUnmock('../src/speculative-row.js');
  vi.resetModules();
});
describe('x', () => {
  it('y', async () => {
    vi.resetModules();
    vi.doMock('../src/accept.js', async (original) => {
      const real = await original<typeof Accept>();
      return { ...real, agreedPath: () => { throw new Error('mutant'); } };
    });
    const s = await load();
    expect(s).toBeDefined();
    const { hashModel } = await import('./hash-model.js');
    await expect(collect(s<number>({ drafter: { name: 'x', async open() { return { forwards: 0, propose: () => ({ tokenIds: new Int32Array(0), parents: new Int32Array(0) }), async [Symbol.asyncDispose]() {} }; } } }).decode(hashModel(4, 0, 9), { sources: [1] }))).rejects.toThrowError('mutant');
  });
});
