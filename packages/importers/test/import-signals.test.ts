import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelFolder } from '@foretoken/models';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { weightsOf } from '../../models/test/student-fixtures.js';
import { importModel } from '../src/index.js';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a signal', () => {
  test('stops an import at any step, and nothing is left', async () => {
    const weights = await weightsOf('marian');
    const ctc = await weightsOf('ctc');
    // Every look at the clock finds that it is time for others.
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => {
      clock += 50;
      return clock;
    });
    const old = join(await temporaryFolder(), 'model');
    await importModel(weights, old);
    let steps = 0;
    for (let at = 0; ; at = Math.ceil(1.5 * at + 1)) {
      for (const existing of [false, true]) {
        const target = join(await temporaryFolder(), 'model');
        if (existing) await cp(old, target, { recursive: true });
        const stop = new AbortController();
        const { signal } = stop;
        let looks = 0;
        const { throwIfAborted } = signal;
        vi.spyOn(signal, 'throwIfAborted').mockImplementation(() => {
          if (looks++ === at) stop.abort(new Error('enough'));
          throwIfAborted.call(signal);
        });
        const run = importModel(weights, target, { ctc, replace: true, signal, name: 'new' });
        const failed = await run.then(
          () => false,
          (error: unknown) => (error as Error).message === 'enough',
        );
        if (!failed) {
          steps = at;
          break;
        }
        expect(await readdir(join(target, '..'))).toEqual(existing ? ['model'] : []);
        if (existing) {
          expect((await openModelFolder(target)).manifest.name).toBe('marian');
          expect(await readdir(target)).toEqual(await readdir(old));
        }
      }
      if (steps > 0) break;
    }
    // There are many: no piece of work is large.
    expect(steps).toBeGreaterThan(100);
  });

  test('is not needed where the target is in the way: that is said before any weight is looked at', async () => {
    const target = await temporaryFolder();
    await writeFile(join(target, 'photo.jpg'), '');
    const weights = await weightsOf('marian');
    await writeFile(join(weights, 'tokenizer.json'), '{}');
    const error = await refusal(() => importModel(weights, target, { replace: true }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'target' } });
  });

  test('that is aborted already stops it before anything is read', async () => {
    const target = join(await temporaryFolder(), 'model');
    const run = importModel('/no/such/folder', target, { signal: AbortSignal.abort(new Error('no')) });
    await expect(run).rejects.toThrow('no');
  });
});
