import { ForetokenError } from '@foretoken/core';
import type { ModelFolder, ModelManifest } from '@foretoken/models';
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
      'greedy, beam, speculative (drafts from lattice or ngram), ctc, ctc-prefix-beam',
      'bleu          38.5',
      '2,500.0 kB',
      '2,501.5 kB',
    ]) {
      expect(stdout).toContain(fact);
    }
  });

  it('shows the students of an encoder, and a masked language model', async () => {
    if (MANIFEST.family !== 'marian') throw new TypeError('expected a Marian manifest');
    const fill = { topK: 'fill-top-k.onnx', logProbs: 'fill-log-probs.onnx' };
    const edits = { open: 'o.onnx', openDrafts: 'r.onnx', deletions: 'd.onnx', placeholders: 'p.onnx', fill };
    const students: ModelManifest = {
      ...MANIFEST,
      graphs: { ...MANIFEST.graphs, canvas: { open: 'o.onnx', fill }, dag: 'dag.onnx', edit: edits },
      canvas: { maskTokenId: 1, layers: 3, maxLength: 20, maxCandidates: 4, lengths: { classes: 64, offset: 32 } },
      dag: { startTokenId: 3, upsample: 4, maxCandidates: 5 },
      edit: { placeholderTokenId: 1, startTokenId: 3, layers: 2, maxLength: 20, maxCandidates: 4 },
    };
    const { graphs: _graphs, step: _step, ctc: _ctc, ...common } = MANIFEST;
    const masked: ModelManifest = {
      ...common,
      family: 'masked-lm',
      architecture: { width: 8, heads: 2, layers: 3 },
      graphs: { fill },
      canvas: { maskTokenId: 1, maxCandidates: 4 },
    };
    const shown = async (manifest: ModelManifest) => {
      const services = { openModelFolder: async () => ({ ...folder, manifest }) as ModelFolder };
      return (await cli(['inspect', '/models/x'], { services })).stdout;
    };
    const first = await shown(students);
    expect(first).toContain('3 layers, up to 20 positions, topK, logProbs, predicts lengths\n');
    expect(first).toContain('4 vertices a source token, up to 5 candidates');
    expect(first).toContain('2 layers, up to 20 positions, reads drafts of the CTC student\n');
    expect(first).toContain('nat, mask-predict, mask-ctc, easy-first, skeleton-first, masked-diffusion, dag-greedy');
    expect(first).toContain('dag-sampling, levenshtein, insertion');
    const second = await shown(masked);
    expect(second).toContain('masked-lm, format version 1');
    expect(second).toContain('3 layers, width 8, 2 heads');
    expect(second).toMatch(/fill outputs +topK, logProbs/);
    expect(second).toMatch(/strategies +nat, mask-predict, easy-first, skeleton-first, masked-diffusion\n/);
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
    const argv = [
      'import',
      'weights',
      '--out',
      'out',
      '--ctc',
      'student',
      '--ctc-fast',
      'f',
      '--canvas',
      'c',
      '--dag',
      'd',
      '--edit',
      'e',
      '--weights',
      'float32',
      '--name',
      '007',
    ];
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
        {
          ctc: 'student',
          ctcFast: 'f',
          canvas: 'c',
          dag: 'd',
          edit: 'e',
          weights: 'float32',
          name: '007',
          description: 'd',
          licence: 'MIT',
          replace: true,
        },
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
