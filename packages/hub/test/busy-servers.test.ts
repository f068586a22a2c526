import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Pace, REAL_TIME } from '../src/ask-hub.js';
import { fetchAtPace } from '../src/fetch-from-hub.js';
import { fetchFromHub } from '../src/index.js';
import { open, options, refusal, server } from './hub-folder.js';

const FILES = { 'config.json': '{}', 'tokenizer.json': '{}', 'model.safetensors': 'w'.repeat(5_000) };
const TOKEN = 'hf_secret';
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A clock that stands still, and what was waited for on it. */
function standingClock(onWait: (milliseconds: number) => void = () => undefined): Pace & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => NOW,
    wait: async (milliseconds) => {
      waits.push(milliseconds);
      onWait(milliseconds);
    },
  };
}

/** The server answers the first requests whose address matches with a status, and says how many there were. */
function failing(matches: RegExp, status: number, times: number, headers: Record<string, string> = {}): () => number {
  let count = 0;
  server.instead = ({ url = '' }, response) => {
    if (!matches.test(url) || count++ >= times) return false;
    response.writeHead(status, headers);
    response.end('busy');
    return true;
  };
  return () => count;
}

const ADDRESSES = [
  ['what a revision is', /\/revision\/main/],
  ['the list of files', /\/tree\//],
  ['a file', /\/model\.safetensors$/],
] as const;

describe.each(ADDRESSES)('a server that is busy when it is asked for %s', (_, address) => {
  test.each([429, 500, 502, 503, 504, 599])('and answers %i is asked again, after growing waits', async (status) => {
    await open(FILES);
    const count = failing(address, status, 4);
    const clock = standingClock();
    const { folder } = await fetchAtPace(clock, 'hub:owner/name', options());
    expect(clock.waits).toEqual([1000, 2000, 4000, 8000]);
    expect(count()).toBe(5);
    expect(await readFile(join(folder, 'model.safetensors'), 'utf8')).toBe(FILES['model.safetensors']);
  });

  test('for good is given up, with its status, the address and the number of tries, and without the token', async () => {
    await open(FILES);
    const count = failing(address, 503, Number.POSITIVE_INFINITY);
    const error = await refusal(fetchAtPace(standingClock(), 'hub:owner/name', options({ token: TOKEN })));
    const { endpoint = '' } = options();
    expect(error).toMatchObject({
      code: 'NETWORK_FAILURE',
      details: { status: 503, tries: 5, reason: 'status', address: expect.stringMatching(address) },
    });
    expect(error.details.address).toContain(endpoint);
    expect(error.message).toContain(`status 503 for ${error.details.address}, 5 times`);
    expect(count()).toBe(5);
    expect(server.requests.at(-1)?.token).toBe(`Bearer ${TOKEN}`);
    expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).not.toContain(TOKEN);
  });

  test.each([400, 401, 403, 404, 418])('is not asked again where it answers %i', async (status) => {
    await open(FILES);
    const count = failing(address, status, Number.POSITIVE_INFINITY);
    const clock = standingClock();
    const error = await refusal(fetchAtPace(clock, 'hub:owner/name', options()));
    expect(error.details).toMatchObject({ status, tries: 1 });
    expect([count(), clock.waits]).toEqual([1, []]);
  });
});

describe('Retry-After', () => {
  test.each([
    ['in seconds', '7', [7000, 7000]],
    ['as a date', 'Fri, 02 Jan 2026 03:04:36 GMT', [31_000, 31_000]],
    ['of less than would be waited', '0', [1000, 2000]],
    ['of a date that is gone', 'Fri, 02 Jan 2026 03:04:00 GMT', [1000, 2000]],
    ['that is nothing of the kind', 'soon', [1000, 2000]],
    ['below nothing', '-5', [1000, 2000]],
    ['with a fraction', '1.5e3', [1000, 2000]],
    ['of a month that is not there', 'Fri, 02 Foo 2026 03:04:36 GMT', [1000, 2000]],
    ['of an hour that is not there', 'Fri, 02 Jan 2026 33:04:36 GMT', [1000, 2000]],
  ])('%s: %s', async (_, header, waits) => {
    await open(FILES);
    failing(/model\.safetensors$/, 429, 2, { 'retry-after': header });
    const clock = standingClock();
    await fetchAtPace(clock, 'hub:owner/name', options());
    expect(clock.waits).toEqual(waits);
  });

  test.each([
    ['280', '280 s'],
    ['Fri, 02 Jan 2026 04:04:05 GMT', '3600 s'],
    ['999999999', '999999999 s'],
    ['1000000000', '1000000000 s'],
  ])('of more than a minute, %s, is not waited for but told', async (header, words) => {
    await open(FILES);
    const count = failing(/model\.safetensors$/, 429, 2, { 'retry-after': header });
    const clock = standingClock();
    const error = await refusal(fetchAtPace(clock, 'hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { status: 429, tries: 1 } });
    expect(error.message).toContain(`try again in ${words}, as it asks`);
    expect([count(), clock.waits]).toEqual([1, []]);
  });
});

test('Retry-After of more seconds than a number holds is not waited for', async () => {
  await open(FILES);
  const count = failing(/model\.safetensors$/, 429, 2, { 'retry-after': '9'.repeat(400) });
  const clock = standingClock();
  const error = await refusal(fetchAtPace(clock, 'hub:owner/name', options()));
  expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { status: 429, tries: 1 } });
  expect(error.message).not.toContain('Infinity');
  expect([count(), clock.waits]).toEqual([1, []]);
});

describe('a wait', () => {
  test('is ended by the signal at once, with its reason', async () => {
    await open(FILES);
    const count = failing(/model\.safetensors$/, 503, 5, { 'retry-after': '60' });
    const controller = new AbortController();
    const reason = new Error('enough');
    // The minute is real, and nobody waits for it.
    let ended: string | undefined;
    const wait: Pace['wait'] = async (milliseconds, signal) => {
      const waiting = REAL_TIME.wait(milliseconds, signal);
      controller.abort(reason);
      // What is thrown here is not told once the signal is aborted, so what came of the wait is kept.
      ended = await waiting.then(
        () => 'by its time',
        () => 'by the signal',
      );
      throw reason;
    };
    const { signal } = controller;
    await expect(fetchAtPace({ now: () => NOW, wait }, 'hub:owner/name', options({ signal }))).rejects.toBe(reason);
    expect([count(), ended]).toEqual([1, 'by the signal']);
  });

  test('that fails because of the signal is told by the reason of the signal', async () => {
    await open(FILES);
    const count = failing(/\/tree\//, 500, 5);
    const controller = new AbortController();
    const reason = new Error('enough');
    const clock = standingClock(() => {
      controller.abort(reason);
      throw new Error('aborted');
    });
    const { signal } = controller;
    await expect(fetchAtPace(clock, 'hub:owner/name', options({ signal }))).rejects.toBe(reason);
    expect([count(), clock.waits]).toEqual([1, [1000]]);
  });
});

test('a download that goes on does so after a wait too', async () => {
  await open(FILES);
  server.cutAfter = 2_000;
  const onProgress = ({ file, bytes }: { file: string; bytes: number }): void => {
    if (file === 'model.safetensors' && bytes > 100) server.breakOff();
  };
  await refusal(fetchFromHub('hub:owner/name', options({ onProgress })));
  server.cutAfter = undefined;
  failing(/model\.safetensors$/, 503, 1);
  const { folder } = await fetchAtPace(standingClock(), 'hub:owner/name', options());
  const ranges = server.requests.slice(-2).map(({ range }) => range);
  expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]/), ranges[0]]);
  expect(await readFile(join(folder, 'model.safetensors'), 'utf8')).toBe(FILES['model.safetensors']);
});

test('an endpoint that holds a password is refused, and the password is not told', async () => {
  await open(FILES);
  const endpoint = 'http://me:hf_secret@127.0.0.1:9';
  const error = await refusal(fetchFromHub('hub:owner/name', options({ endpoint })));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'endpoint' } });
  expect(JSON.stringify([error, error.message])).not.toContain(TOKEN);
});
