import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { services } from '../src/services.js';
import { cli } from './support.js';

const MARIAN = fileURLToPath(new URL('../../../packages/models/test/goldens/exports/marian', import.meta.url));

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'foretoken-exports-'));
  vi.stubEnv('FORETOKEN_CACHE', cache);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

describe('a folder of an exporter, as it is', () => {
  it('is inspected: what it is, what it can do, and whether rows depend on one another', async () => {
    const fp32 = await cli(['inspect', MARIAN], { services });
    expect(fp32.code).toBe(0);
    expect(fp32.stdout).toMatch(/marian, 2 decoder layers, 2 heads of 8/);
    expect(fp32.stdout).toMatch(/greedy/);
    expect(fp32.stdout).not.toMatch(/depend on one another/);
    const q8 = await cli(['inspect', MARIAN, '--precision', 'q8'], { services });
    expect(q8.stdout).toMatch(/rows +depend on one another by DynamicQuantizeLinear/);
  });

  it('decodes', async () => {
    for (const precision of ['fp32', 'q8']) {
      const args = ['decode', '--model', MARIAN, '--precision', precision, '--text', 'abc', '--max-new-tokens', '5'];
      const { code, stdout } = await cli(args, { services });
      expect(code).toBe(0);
      expect(stdout.trim().length).toBeGreaterThan(0);
    }
  });

  it('says whether leaner graphs are kept, and uses none with --as-exported', async () => {
    const decode = ['decode', '--model', MARIAN, '--text', 'abc', '--max-new-tokens', '5'];
    const inspected = async () => (await cli(['inspect', MARIAN], { services })).stdout;
    await rm(cache, { recursive: true, force: true });
    const exported = await cli([...decode, '--as-exported'], { services });
    expect(await inspected()).toMatch(/improved graphs +not built yet/);
    const improved = await cli(decode, { services });
    expect(await inspected()).toMatch(/improved graphs +built of its weights and proved to give the same, in /);
    expect(improved.stdout).toBe(exported.stdout);
  });

  it('says which precisions there are where another is asked for', async () => {
    const { code, stderr } = await cli(['inspect', MARIAN, '--precision', 'q4'], { services });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/holds no graphs in the precision q4\. It holds: fp32, q8/);
  });
});
