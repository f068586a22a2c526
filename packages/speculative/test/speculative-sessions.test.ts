import { collect, type Drafter, type SourceEncoder, type SourceEncoding } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { chainDraft, EMPTY_DRAFT, speculative } from '../src/index.js';
import { counting } from './counting-target.js';
import { scriptedDrafter, scriptedTarget } from './scripted-target.js';

const SIZE = 100;

interface CountingEncoder extends SourceEncoder<number> {
  readonly log: { encoded: number; disposed: number };
  readonly encoding: SourceEncoding;
}

function countingEncoder(): CountingEncoder {
  const log = { encoded: 0, disposed: 0 };
  const encoding: SourceEncoding = {
    rows: 1,
    dispose() {
      log.disposed++;
    },
  };
  return {
    log,
    encoding,
    async encode() {
      log.encoded++;
      return encoding;
    },
  };
}

describe('what is opened together', () => {
  it('encodes once when target and drafter name the same encoder', async () => {
    const encoder = countingEncoder();
    const target = scriptedTarget({ script: counting, size: SIZE, encoder });
    const drafter = scriptedDrafter(() => EMPTY_DRAFT, { encoder });
    await collect(speculative({ drafter }).decode(target, { sources: [3] }));
    expect(encoder.log).toEqual({ encoded: 1, disposed: 1 });
    expect(target.log.encodings).toEqual([encoder.encoding]);
    expect(drafter.log.contexts).toEqual([encoder.encoding]);
  });

  it('lets each encode for itself otherwise', async () => {
    const encoder = countingEncoder();
    const target = scriptedTarget({ script: counting, size: SIZE, encoder });
    const drafter = scriptedDrafter(() => EMPTY_DRAFT, { encoder: countingEncoder() });
    await collect(speculative({ drafter }).decode(target, { sources: [3] }));
    expect(encoder.log.encoded).toBe(0);
    expect([...target.log.encodings, ...drafter.log.contexts]).toEqual([undefined, undefined]);
  });

  it('refuses a drafter of another vocabulary before anything is opened', async () => {
    const target = scriptedTarget({ script: counting, size: SIZE });
    for (const vocabulary of [
      { size: SIZE + 1, endTokenId: 0 },
      { size: SIZE, endTokenId: 1 },
    ]) {
      const drafter = scriptedDrafter(() => EMPTY_DRAFT, { vocabulary });
      await expect(collect(speculative({ drafter }).decode(target, { sources: [3] }))).rejects.toMatchObject({
        code: 'UNSUPPORTED_CAPABILITY',
      });
      expect(drafter.log.opened + target.log.opened).toBe(0);
    }
    const drafter = scriptedDrafter(() => EMPTY_DRAFT, { vocabulary: { size: SIZE, endTokenId: 0 } });
    await collect(speculative({ drafter }).decode(target, { sources: [3] }));
  });
});

describe('everything is released', () => {
  const failing: [string, Drafter<number>, string][] = [
    ['when a draft breaks its contract', scriptedDrafter(() => chainDraft([SIZE])), 'INVALID_DRAFT'],
    ['when a draft is too long', scriptedDrafter(() => chainDraft(Array(99).fill(3))), 'INVALID_DRAFT'],
  ];
  it.each(failing)('%s', async (_name, inner, code) => {
    const encoder = countingEncoder();
    const target = scriptedTarget({ script: counting, size: SIZE, encoder });
    const drafter = { ...inner, encoder };
    await expect(collect(speculative({ drafter }).decode(target, { sources: [30] }))).rejects.toMatchObject({ code });
    expect(target.log).toMatchObject({ opened: 1, disposed: 1 });
    expect(encoder.log).toEqual({ encoded: 1, disposed: 1 });
    expect(target.log.forwards).toHaveLength(0);
  });

  it('when the drafter cannot be opened', async () => {
    const encoder = countingEncoder();
    const target = scriptedTarget({ script: counting, size: SIZE, encoder });
    const drafter: Drafter<number> = {
      name: 'broken',
      encoder,
      async open() {
        throw new Error('no drafts today');
      },
    };
    await expect(collect(speculative({ drafter }).decode(target, { sources: [3] }))).rejects.toThrowError('no drafts');
    expect(target.log).toMatchObject({ opened: 1, disposed: 1 });
    expect(encoder.log).toEqual({ encoded: 1, disposed: 1 });
  });

  it('when the consumer stops, and when the signal aborts, with no further forward', async () => {
    const drafter = scriptedDrafter(() => EMPTY_DRAFT);
    const stopped = scriptedTarget({ script: counting, size: SIZE });
    for await (const event of speculative({ drafter }).decode(stopped, { sources: [30] })) {
      if (event.type === 'token-commit' && event.position === 2) break;
    }
    expect(stopped.log.forwards).toHaveLength(3);
    expect(stopped.log.disposed).toBe(1);

    const aborted = scriptedTarget({ script: counting, size: SIZE });
    const controller = new AbortController();
    const decode = async (): Promise<void> => {
      const { signal } = controller;
      for await (const event of speculative({ drafter }).decode(aborted, { sources: [30], signal })) {
        if (event.type === 'token-commit' && event.position === 2) controller.abort(new Error('enough'));
      }
    };
    await expect(decode()).rejects.toThrowError('enough');
    expect(aborted.log.forwards).toHaveLength(3);
    expect(aborted.log.disposed).toBe(1);
    expect(drafter.log.disposed).toBe(2);
  });
});
