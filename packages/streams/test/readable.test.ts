import type { AutoregressiveModel, DecodeEvent } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { eventFromJson, readable, SERVER_SENT_EVENTS_HEADERS, serverSentEvents } from '../src/index.js';

/** Writes 1, 2, 3, ... nine times. */
const counting = (): AutoregressiveModel<Int32Array> =>
  scriptedModel({
    vocabularySize: 11,
    endTokenId: 0,
    score: (_source, output) =>
      Array.from({ length: 11 }, (_, tokenId) => (tokenId === (output.length < 9 ? output.length + 1 : 0) ? 5 : 0)),
  });
const sources = [Int32Array.of(1)];
const decoding = (signal: AbortSignal): AsyncIterable<DecodeEvent> => greedy().decode(counting(), { sources, signal });

/** A source that counts what it was asked for, and says when it was released. */
function counted(fail?: Error) {
  const seen = { asked: 0, released: 0, aborted: false };
  const start = async function* (signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    signal.addEventListener('abort', () => {
      seen.aborted = true;
    });
    try {
      for (const piece of ['a', 'b', 'c']) {
        seen.asked++;
        if (fail !== undefined && piece === 'c') throw fail;
        yield piece;
        signal.throwIfAborted();
      }
    } finally {
      seen.released++;
    }
  };
  return { seen, start };
}

async function listOf<Part>(stream: ReadableStream<Part>): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

describe('readable', () => {
  it('gives what the decode gives', async () => {
    const expected: DecodeEvent[] = [];
    for await (const event of decoding(new AbortController().signal)) expected.push(event);
    const events = await listOf(readable(decoding));
    expect(events.map(({ type }) => type)).toEqual(expected.map(({ type }) => type));
    expect(events.at(-1)).toMatchObject({ type: 'decode-end', results: [{ best: { finishReason: 'end-token' } }] });
  });

  it('asks for nothing that is not read', async () => {
    const { seen, start } = counted();
    const stream = readable(start);
    await new Promise(setImmediate);
    expect(seen.asked).toBe(0);
    const reader = stream.getReader();
    await reader.read();
    await new Promise(setImmediate);
    expect(seen.asked).toBe(1);
    await reader.cancel();
    expect(seen).toEqual({ asked: 1, released: 1, aborted: true });
    await new Promise(setImmediate);
    expect(seen.asked).toBe(1);
  });

  it('aborts a forward that is running when it is cancelled', async () => {
    let reached = (): void => undefined;
    const running = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let reason: unknown;
    const stream = readable(async function* (signal): AsyncGenerator<string, void, undefined> {
      yield 'a';
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          resolve();
        });
        reached();
      });
      signal.throwIfAborted();
    });
    const reader = stream.getReader();
    await reader.read();
    const read = reader.read();
    await running;
    await reader.cancel('enough');
    expect(reason).toBe('enough');
    expect(await read).toEqual({ done: true, value: undefined });
  });

  it('ends with the reason of a signal from outside, and releases at once', async () => {
    const reason = new Error('enough');
    const aborted = counted();
    await expect(listOf(readable(aborted.start, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect(aborted.seen.asked).toBe(0);
    const abort = new AbortController();
    const { seen, start } = counted();
    const reader = readable(start, { signal: abort.signal }).getReader();
    await reader.read();
    abort.abort(reason);
    await new Promise(setImmediate);
    expect(seen.released).toBe(1);
    await expect(reader.read()).rejects.toBe(reason);
  });

  it('fails as the decode fails', async () => {
    const error = new Error('no more');
    const { seen, start } = counted(error);
    await expect(listOf(readable(start))).rejects.toBe(error);
    expect(seen.released).toBe(1);
    await expect(
      listOf(
        readable(() => {
          throw error;
        }),
      ),
    ).rejects.toBe(error);
    await expect(
      listOf(readable((signal) => greedy().decode(counting(), { sources: [], signal }))),
    ).rejects.toMatchObject({ code: 'EMPTY_SOURCE' });
  });

  it('can be piped, and released by the pipe', async () => {
    const { seen, start } = counted();
    const upper = new TransformStream<string, string>({
      transform: (piece, controller) => controller.enqueue(piece.toUpperCase()),
    });
    const reader = readable(start).pipeThrough(upper).getReader();
    expect((await reader.read()).value).toBe('A');
    await reader.cancel();
    // A pipe hears of it in its next turn.
    await new Promise(setImmediate);
    expect(seen.released).toBe(1);
    expect(await listOf(readable(counted().start).pipeThrough(new TextEncoderStream()))).toHaveLength(3);
  });

  it.each([
    [3, {}],
    [() => [], { signal: 3 }],
    [() => [], { size: 3 }],
  ])('refuses %j, %j', (start, options) => {
    expect(() => readable(start as never, options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('serverSentEvents', () => {
  const textOf = async (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text();

  it('are messages with JSON, and an end', async () => {
    const text = await textOf(serverSentEvents(counted().start));
    expect(text).toBe('data: "a"\n\ndata: "b"\n\ndata: "c"\n\nevent: end\ndata: {}\n\n');
    expect(SERVER_SENT_EVENTS_HEADERS['content-type']).toContain('text/event-stream');
  });

  it('hold a text with line breaks, and characters of any kind, in one message', async () => {
    const pieces = ['one\ntwo\r\n', '\u2028 data: x\n\n', 'äöü 🙂'];
    const text = await textOf(
      serverSentEvents(async function* () {
        yield* pieces;
      }),
    );
    const messages = text.split('\n\n').filter((message) => message.startsWith('data: '));
    expect(messages.map((message) => JSON.parse(message.slice('data: '.length)))).toEqual(pieces);
  });

  it('hold events that a page reads again', async () => {
    const text = await textOf(serverSentEvents(decoding));
    const events = text
      .split('\n\n')
      .filter((message) => message.startsWith('data: '))
      .map((message) => eventFromJson(message.slice('data: '.length)));
    const expected = await listOf(readable(decoding));
    expect(events.map((event) => ({ ...event, atMs: 0 }))).toMatchObject(
      expected.map(({ type, ...event }) =>
        type === 'token-commit' ? { type, tokenIds: (event as { tokenIds: Int32Array }).tokenIds } : { type },
      ),
    );
  });

  it('tell of an error, but not of what is inside the server', async () => {
    const text = await textOf(serverSentEvents(counted(new Error('password')).start));
    expect(text).toBe(
      'data: "a"\n\ndata: "b"\n\nevent: failure\ndata: {"code":"UNEXPECTED","message":"The decode failed."}\n\n',
    );
    const ours = await textOf(serverSentEvents((signal) => greedy().decode(counting(), { sources: [], signal })));
    expect(ours).toContain('event: failure\ndata: {"code":"EMPTY_SOURCE",');
  });

  it('stop the decode when the reader goes away', async () => {
    const { seen, start } = counted();
    const reader = serverSentEvents(start).getReader();
    await reader.read();
    await reader.cancel();
    expect(seen).toEqual({ asked: 1, released: 1, aborted: true });
  });
});
