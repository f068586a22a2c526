import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel } from '@foretoken/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decoderFor } from '../src/advise/code.js';
import { services } from '../src/services.js';
import { createDrafter } from '../src/strategies/drafters.js';
import { cli } from './support.js';

const WEIGHTS = fileURLToPath(new URL('../../../packages/importers/test/goldens/recurrent/lstm-dot', import.meta.url));
const { importModel, inspectWeights, openModelFolder, describeModel } = services;
const real = { services: { importModel, inspectWeights, openModelFolder, loadModel, describeModel } };

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-sources-'));
  model = join(folder, 'model');
  await cp(WEIGHTS, join(folder, 'weights'), { recursive: true });
  expect((await cli(['import', join(folder, 'weights'), '--out', model], real)).code).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a model whose sources have tokens of their own', () => {
  it('is said to draft from its output alone, and does', async () => {
    const { stdout } = await cli(['inspect', model], real);
    expect(stdout).toContain('speculative (drafts from ngram)');
    await using loaded = await loadModel(model);
    // An id that no output can have.
    await using session = await createDrafter('ngram', loaded).open([Int32Array.of(50)], {});
    expect(session.forwards).toBe(0);
    const decoded = async (...options: readonly string[]) =>
      (await cli(['decode', 'uvwxyz', '--model', model, '--max-tokens', '8', ...options], real)).stdout;
    expect(await decoded('--strategy', 'speculative', '--drafter', 'ngram')).toBe(
      await decoded('--strategy', 'greedy'),
    );
    const candidate = {
      name: 'speculative, ngram',
      strategy: 'speculative',
      variant: 'exact',
      drafter: 'ngram',
    } as const;
    expect(decoderFor(candidate, false, true).text).toContain("lookIn: 'output'");
  });

  it('refuses to copy from them', async () => {
    const { code, stderr } = await cli(
      ['decode', 'uvw', '--model', model, '--strategy', 'speculative', '--drafter', 'copy'],
      real,
    );
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/UNSUPPORTED_CAPABILITY.*source tokens of its own.*Use --drafter ngram/s);
  });
});
