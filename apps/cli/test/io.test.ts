import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { untilAborted, write } from '../src/io.js';

/** A stream whose reader takes one text and no more. */
function stalled() {
  const texts: string[] = [];
  const stream = Object.assign(new PassThrough(), {
    write: (text: string, done: () => void) => {
      texts.push(text);
      if (texts.length === 1) done();
      return false;
    },
  }) as unknown as NodeJS.WriteStream;
  return { stream, texts };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a stream of the process', () => {
  it('is waited for while nobody interrupts, and no longer', async () => {
    const controller = new AbortController();
    const { stream, texts } = stalled();
    const output = untilAborted(stream, controller.signal);
    await write(output, 'taken');
    let done = false;
    const waiting = write(output, 'not taken').then(() => {
      done = true;
    });
    await settled();
    expect(done).toBe(false);
    controller.abort();
    await waiting;
    // What an interrupted command still says.
    await write(output, 'stopped');
    expect(texts).toEqual(['taken', 'not taken', 'stopped']);
  });
});
