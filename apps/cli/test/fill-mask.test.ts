import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { services } from '../src/services.js';
import { cli } from './support.js';

const WEIGHTS = fileURLToPath(new URL('../../../packages/models/test/goldens/fill-mask/bert', import.meta.url));
const { importModel, inspectWeights, openModelFolder, loadModel, describeModel } = services;
const real = { services: { importModel, inspectWeights, openModelFolder, loadModel, describeModel } };

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-'));
  model = join(folder, 'model');
  const { code, stderr } = await cli(['import', WEIGHTS, '--out', model, '--weights', 'float32'], real);
  expect([code, stderr]).toEqual([0, '']);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const decode = (text: string, ...more: string[]) => cli(['decode', '--model', model, '--text', text, ...more], real);

describe('a masked language model', () => {
  it('is shown as what it reads, imported or not', async () => {
    for (const place of [WEIGHTS, model]) {
      const { stdout } = await cli(['inspect', place], real);
      expect(stdout).toContain('a text with [MASK] in it');
      expect(stdout).toMatch(/strategies +nat, mask-predict, easy-first, skeleton-first, masked-diffusion\n/);
    }
  });

  it('gives the filled text, and with --json what else could stand there', async () => {
    const plain = await decode('The capital of France is [MASK].', '--strategy', 'nat');
    expect(plain).toMatchObject({ code: 0, stdout: 'the capital of france is l.\n' });
    const onTerminal = await cli(
      ['decode', '--model', model, '--text', 'The capital of France is [MASK].', '--strategy', 'nat'],
      { ...real, stdoutIsTerminal: true },
    );
    expect(onTerminal.stdout).toBe('the capital of france is l.\n');
    const { stdout } = await decode(
      'The capital of France is [MASK].',
      ...'--strategy nat --alternatives 2 --json'.split(' '),
    );
    const [row] = JSON.parse(stdout).rows;
    expect(row.text).toBe('the capital of france is l.');
    const [{ text, candidates }] = row.hypotheses[0].fills;
    expect(text).toBe('l');
    expect(candidates.map((one: { text: string }) => one.text)).toEqual(['l', 'over']);
    expect(candidates[0].probability).toBeCloseTo(0.3574068, 5);
  });

  it('refuses a text without a mask, and stop strings', async () => {
    const none = await decode('The capital of France.', '--strategy', 'nat');
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/has no \[MASK\].*Write \[MASK\] where a word is wanted/);
    const stopped = await decode('a [MASK]', '--strategy', 'nat', '--stop-string', 'x');
    expect(stopped.code).not.toBe(0);
    expect(stopped.stderr).toContain('UNSUPPORTED_CAPABILITY');
  });
});
