import { type ErrorCode, ForetokenError } from '@foretoken/core';
import type { MarianManifest, MaskedLanguageModelManifest, ModelFolder, ModelManifest } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { services as packages } from '../src/services.js';
import { cli, fakeModel, MANIFEST } from './support.js';

const folder = { path: '/models/x', manifest: MANIFEST } as unknown as ModelFolder;

describe('inspect', () => {
  it('shows manifest, files, sizes, abilities and training facts', async () => {
    const { code, stdout } = await cli(['inspect', '/models/x'], { services: { openModelFolder: async () => folder } });
    expect(code).toBe(0);
    for (const fact of [
      'word-for-word',
      'CC0-1.0',
      '1 encoder and 1 decoder layers, width 8, 2 heads',
      'argmax, topK',
      'greedy, beam, speculative (drafts from lattice, copy or ngram), ctc, ctc-prefix-beam',
      'bleu          38.5',
      '2,500.0 kB',
      '2,501.5 kB',
    ]) {
      expect(stdout).toContain(fact);
    }
  });

  it('shows the students of an encoder, and a masked language model', async () => {
    const fill = { topK: 'fill-top-k.onnx', logProbs: 'fill-log-probs.onnx' };
    const edits = { open: 'o.onnx', openHints: 'r.onnx', deletions: 'd.onnx', placeholders: 'p.onnx', fill };
    const students: MarianManifest = {
      ...MANIFEST,
      graphs: { ...MANIFEST.graphs, canvas: { open: 'o.onnx', fill }, dag: 'dag.onnx', edit: edits },
      canvas: { maskTokenId: 1, layers: 3, maxLength: 20, maxCandidates: 4, lengths: { classes: 64, offset: 32 } },
      dag: { startTokenId: 3, upsample: 4, maxCandidates: 5 },
      edit: { placeholderTokenId: 1, startTokenId: 3, layers: 2, maxLength: 20, maxCandidates: 4 },
    };
    const { graphs: _graphs, step: _step, ctc: _ctc, ...common } = MANIFEST;
    const masked: MaskedLanguageModelManifest = {
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
    expect(first).toContain('2 layers, up to 20 positions, reads hints of the CTC student\n');
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
      strategies: { greedy: [], speculative: ['copy', 'ngram'] },
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
      '--step-layout',
      'body',
      '--shortlist',
      'none',
      '--name',
      '007',
    ];
    const { code, stdout, stderr } = await cli([...argv, '--description', 'd', '--licence', 'MIT', '--replace'], {
      services: {
        importModel: async (...call) => {
          calls.push(call);
          call[2]?.onNote?.({ file: 'f', field: 'num_beams', received: 6, message: 'num_beams is 6.' });
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
          stepLayout: 'body',
          shortlist: false,
          name: '007',
          description: 'd',
          licence: 'MIT',
          replace: true,
          signal: expect.any(AbortSignal),
          onNote: expect.any(Function),
        },
      ],
    ]);
    expect(stdout).toContain('word-for-word');
    expect(stderr).toBe('note: num_beams is 6.\n');
  });

  it('passes on refusals as exit code 2', async () => {
    const { code, stderr } = await cli(['import', 'weights', '--out', 'out'], {
      services: {
        importModel: () => Promise.reject(new ForetokenError('INVALID_MODEL_FOLDER', 'config.json is missing.')),
      },
    });
    expect([code, stderr]).toEqual([2, 'error INVALID_MODEL_FOLDER: config.json is missing.\n']);
  });

  it.each([false, true])(
    'says that nothing was written when it is interrupted (on a terminal: %s)',
    async (terminal) => {
      const controller = new AbortController();
      const { code, stdout, stderr } = await cli(['import', 'weights', '--out', '/some/\x1bwhere'], {
        signal: controller.signal,
        stderrIsTerminal: terminal,
        services: {
          importModel: async (_weights, _target, options) => {
            controller.abort();
            options?.signal?.throwIfAborted();
            throw new Error('not reached');
          },
        },
      });
      expect([code, stdout]).toEqual([130, '']);
      expect(stderr).toContain('Interrupted: /some/\ufffdwhere is as it was.\n');
    },
  );

  it('says that it was written when the interruption came too late', async () => {
    const controller = new AbortController();
    const { code, stdout, stderr } = await cli(['import', 'weights', '--out', '/somewhere'], {
      signal: controller.signal,
      services: {
        importModel: async () => {
          controller.abort();
          return MANIFEST;
        },
      },
    });
    expect(code).toBe(130);
    expect(stdout).toContain('word-for-word');
    expect(stderr).toBe('Interrupted too late: /somewhere was written already.\n');
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

  it('is shown without what a terminal obeys, in its trace too', async () => {
    const { stderr } = await cli(['inspect', 'x'], {
      services: { openModelFolder: () => Promise.reject(new TypeError('a\x1b[2J\u009bb\nc\u202ed')) },
    });
    expect(stderr).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(stderr.startsWith('error UNEXPECTED: a\ufffd[2J\ufffdb c\ufffdd\n')).toBe(true);
  });
});

describe('exit codes', () => {
  const CODES: Record<ErrorCode, number> = {
    INVALID_ARGUMENT: 2,
    UNSUPPORTED_CAPABILITY: 2,
    EMPTY_SOURCE: 2,
    SOURCE_TOO_LONG: 2,
    LENGTH_LIMIT: 2,
    INVALID_MODEL_FOLDER: 2,
    UNSUPPORTED_MODEL: 2,
    INVALID_NODE: 1,
    UNSATISFIABLE_CONSTRAINT: 1,
    INVALID_DRAFT: 1,
    INVALID_SCORES: 1,
    NETWORK_FAILURE: 1,
    RUNTIME_FAILURE: 1,
    DISPOSED: 1,
  };

  it.each(Object.entries(CODES) as [ErrorCode, number][])('%s before decoding: %d', async (code, exit) => {
    const failing = { openModelFolder: () => Promise.reject(new ForetokenError(code, 'No.')) };
    expect((await cli(['inspect', 'x'], { services: failing })).code).toBe(exit);
  });

  const ROWS: readonly ErrorCode[] = ['EMPTY_SOURCE', 'SOURCE_TOO_LONG', 'LENGTH_LIMIT'];

  it.each(Object.keys(CODES) as ErrorCode[])('%s while a line is decoded', async (code) => {
    const failing = (lines: string) => {
      let forwards = 0;
      const model = fakeModel({
        onForward: () => {
          if (++forwards === 1) throw new ForetokenError(code, 'No.');
        },
      });
      const input = lines.startsWith('--') ? lines.split(' ') : [];
      return cli(['decode', ...input], { model, stdin: input.length > 0 ? undefined : lines });
    };
    // Of a file the next line may be fine; what was typed is stopped at.
    const piped = await failing('a\na dog\n');
    const isRow = ROWS.includes(code);
    expect([piped.code, piped.stdout]).toEqual(isRow ? [1, '\nein Hund\n'] : [CODES[code], '']);
    expect(piped.stderr).toBe(isRow ? `error ${code}: Line 1: No.\n` : `error ${code}: No.\n`);
    const typed = await failing('--text a --text man');
    expect([typed.code, typed.stdout]).toEqual([CODES[code], '']);
  });
});
