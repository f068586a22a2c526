import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs with an empty cache folder, which is removed afterwards; what `run` writes into it, too. */
export async function inOwnCache<Result>(run: (folder: string) => Promise<Result>): Promise<Result> {
  const before = process.env.FORETOKEN_CACHE;
  const cache = await mkdtemp(join(tmpdir(), 'foretoken-bench-'));
  process.env.FORETOKEN_CACHE = cache;
  try {
    return await run(cache);
  } finally {
    if (before === undefined) delete process.env.FORETOKEN_CACHE;
    else process.env.FORETOKEN_CACHE = before;
    await rm(cache, { recursive: true, force: true });
  }
}
