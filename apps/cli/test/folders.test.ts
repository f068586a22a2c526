import { ForetokenError } from '@foretoken/core';
import type { ModelFolder } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { services as packages } from '../src/services.js';
import { cli, MANIFEST } from './support.js';

const folder = { path: '/models/x', manifest: MANIFEST } as ModelFolder;

describe('inspect', () => {
  it('shows manifest, files, sizes, abilities and training facts', async () => {
    const { code, stdout } = await cli(['inspect', '/models/x'], { services: { openModelFolder: async () => folder } });
    expect(code).toBe(0);
    for (const fact of [
      'word-for-word',
      'CC0-1.0',
      '1 encoder and 1 decoder layers, width 8, 2 heads',
      'argmax, topK',
      'greedy, beam, ctc, speculative (drafts from lattice or ngram)',
      'bleu          38.5',
      '2,500.0 kB',
      '2,501.5 kB',
    ]) {
      expect(stdout).toContain(fact);
    }
  });

  it('prints one object with --json', async () => {
    const manifest = { ...MANIFEST, graphs: { encoder: 'e.onnx', step: { argmax: 's.onnx' } } };
    const { stdout } = await cli(['inspect', '--json', '/models/x'], {
      services: { openModelFolder: async () => ({ ...folder, manifest }) as ModelFolder },
    });
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      folder: '/models/x',
      bytes: 2_501_500,
      strategies: { greedy: [], speculative: ['ngram'] },
      outputs: ['argmax'],
      manifest,
    });
  });

  it('refuses a folder that is not a model', async () => {
    const { openModelFolder } = packages;
    const { code, stdout, stderr } = await cli(['inspect', '/no/such/folder', '--json'], {
      services: { openModelFolder },
    });
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error.code).toBe('INVALID_MODEL_FOLDER');
    expect(stderr).toContain('/no/such/folder');
  });
});

describe('import', () => {
  it('hands over every option and shows what was written', async () => {
    const calls: unknown[] = [];
    const argv = ['import', 'weights', '--out', 'out', '--ctc', 'student', '--weights', 'float32', '--name', '007'];
    const { code, stdout } = await cli([...argv, '--description', 'd', '--licence', 'MIT', '--replace'], {
      services: {
        importModel: async (...call) => {
          calls.push(call);
          return MANIFEST;
        },
      },
    });
    expect(code).toBe(0);
    expect(calls).toEqual([
      [
        'weights',
        'out',
        { ctc: 'student', weights: 'float32', name: '007', description: 'd', licence: 'MIT', replace: true },
      ],
    ]);
    expect(stdout).toContain('word-for-word');
  });

  it('passes on refusals as exit code 2', async () => {
    const { code, stderr } = await cli(['import', 'weights', '--out', 'out'], {
      services: {
        importModel: () => Promise.reject(new ForetokenError('INVALID_MODEL_FOLDER', 'config.json is missing.')),
      },
    });
    expect([code, stderr]).toEqual([2, 'error INVALID_MODEL_FOLDER: config.json is missing.\n']);
  });
});

describe('what nobody foresaw', () => {
  it('exits with 1, shows where it happened, and has a code of its own in JSON', async () => {
    const { code, stdout, stderr } = await cli(['inspect', 'x', '--json'], {
      services: { openModelFolder: () => Promise.reject(new TypeError('oops')) },
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'UNEXPECTED', message: 'oops', details: {} } });
    expect(stderr).toContain('folders.test.ts');
  });
});
