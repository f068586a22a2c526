import type { CanvasOpenOptions } from '@foretoken/core';
import { ModelParts } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { partOf, STRATEGIES, type StrategyName } from '../src/strategy-names.js';
import { decode } from './decode-arguments.js';
import { modelWithNgrams, modelWithStudents } from './students.js';
import { cli, fakeModel, withParts } from './support.js';

const STUDENTS: readonly StrategyName[] = STRATEGIES.filter((name) => ['canvas', 'dag', 'edit'].includes(partOf(name)));

describe('--variant', () => {
  const withFast = () => {
    const model = fakeModel();
    const emitted: string[] = [];
    const counted = (variant: string) => {
      const lattice = model.part('lattice');
      return {
        ...lattice,
        emit: (...call: Parameters<typeof lattice.emit>) => {
          emitted.push(variant);
          return lattice.emit(...call);
        },
      };
    };
    const parts = new ModelParts([
      { kind: 'autoregressive', model: model.part('autoregressive') },
      { kind: 'lattice', model: counted('exact') },
      { kind: 'lattice', variant: 'fast', model: counted('fast') },
    ]);
    return { emitted, model: { ...model, find: parts.find.bind(parts) as typeof model.find } };
  };

  it.each([
    [[], 'exact'],
    [['--variant', 'exact'], 'exact'],
    [['--variant', 'fast'], 'fast'],
  ])('%j decodes with that model of the kind', async (more, variant) => {
    const { model, emitted } = withFast();
    expect((await cli(decode('ctc', ...more), { model })).code).toBe(0);
    expect(emitted).toEqual([variant]);
  });

  it.each([
    ['ctc', 'draft', 'a CTC model (draft)'],
    ['greedy', 'fast', 'an autoregressive model (fast)'],
  ])('%s is refused a %s model that is not there, and told what there is', async (strategy, variant, capability) => {
    const { model } = withFast();
    const { code, stdout } = await cli(decode(strategy, '--variant', variant, '--json'), { model });
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      details: { capability, has: ['an autoregressive model', 'a CTC model', 'a CTC model (fast)'] },
    });
  });

  it('is one of three', async () => {
    const { code, stderr } = await cli(decode('ctc', '--variant', 'quick'), { model: fakeModel() });
    expect(code).toBe(2);
    expect(stderr).toContain('--variant must be one of exact, fast, draft, but was "quick".');
  });
});

describe('strategies of students', () => {
  it.each(STUDENTS)('%s decodes with the part that it needs', async (strategy) => {
    const { code, stdout, stderr } = await cli(decode(strategy), { model: modelWithStudents() });
    // The CTC model of the tests says something else, and is sure of it.
    const output = strategy === 'mask-ctc' ? 'ein Hund ein\n' : 'ein Hund läuft\n';
    expect([code, stdout, stderr]).toEqual([0, output, '']);
  });

  it.each(STUDENTS)('%s is refused by a folder without it, which says what it has', async (strategy) => {
    const model = fakeModel();
    const { code, stdout } = await cli(decode(strategy, '--json'), { model });
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      message: expect.stringContaining('It has an autoregressive model, a CTC model;'),
      details: { decoder: strategy, has: ['an autoregressive model', 'a CTC model'] },
    });
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });

  it.each([
    ['nat', ['--length-beam', '2', '--length-weight', '0.1', '--deduplicate']],
    ['nat', ['--no-adjacent-repeats']],
    ['mask-predict', ['--iterations', '3', '--schedule', 'cosine', '--adaptive-stop', '--min-masked', '1']],
    ['mask-ctc', ['--threshold', '1', '--iterations', '2']],
    ['easy-first', ['--levels', '2', '--iterations', '5']],
    ['skeleton-first', ['--share', '0.4', '--iterations', '2', '--revise']],
    ['masked-diffusion', ['--iterations', '2', '--order', 'margin', '--block-length', '2', '--remask', '0.5']],
    ['masked-diffusion', ['--order', 'entropy-bounded', '--entropy-bound', '1.5']],
    ['masked-diffusion', ['--length', '3', '--temperature', '0.01', '--seed', '7']],
    ['dag-viterbi', ['--length-penalty', '0.5']],
    ['dag-joint-viterbi', ['--length', '5']],
    ['dag-beam', ['--beam-size', '3', '--candidates', '2', '--hypotheses', '2']],
    ['dag-sampling', ['--temperature', '0.01', '--hypotheses', '2', '--seed', '1', '--candidates', '3']],
    ['levenshtein', ['--iterations', '5', '--per-gap', '3', '--deletion-threshold', '0.7']],
    ['levenshtein', ['--from-ctc']],
    ['insertion', ['--per-gap', '3']],
  ])('%s takes %j', async (strategy, more) => {
    const { code, stdout, stderr } = await cli(decode(strategy, ...more), { model: modelWithStudents() });
    expect([code, stdout, stderr]).toEqual([0, 'ein Hund läuft\n', '']);
  });

  it.each(['nat', 'mask-predict', 'levenshtein'])(
    '%s has searched hints read where the model reads hints',
    async (strategy) => {
      const model = modelWithStudents();
      const encoder = { encode: async ({ length: rows }: readonly unknown[]) => ({ rows, dispose: () => {} }) };
      const opened: CanvasOpenOptions[] = [];
      const reading = <Model extends { open(...of: never[]): unknown }>(part: Model): Model => ({
        ...part,
        encoder,
        readsHints: true,
        open: (sources: never, options: CanvasOpenOptions) => {
          opened.push(options);
          const { hints: _, ...others } = options;
          return part.open(sources, others as never);
        },
      });
      const ngrams = modelWithNgrams();
      const languageModel = ngrams.part('languageModel');
      const readers = withParts(model, {
        languageModel,
        ctc: { ...ngrams.part('lattice'), encoder },
        canvas: reading(model.part('canvas')),
        edit: reading(model.part('edit')),
      });
      const { code, stdout } = await cli(decode(strategy, '--searched-hints'), { model: readers });
      expect([code, stdout]).toEqual([0, 'ein Hund läuft\n']);
      expect(opened).toMatchObject([{ hints: [{ tokenIds: Int32Array.of(9, 9, 9) }] }]);
      expect((await cli(decode('ctc-prefix-beam'), { model: readers })).stdout).toBe('Mann Mann Mann\n');
      expect((await cli(decode('ctc'), { model: readers })).stdout).not.toBe('Mann Mann Mann\n');
      await cli(decode(strategy), { model: readers });
      expect(opened[1]?.hints).toBeUndefined();
      const unread = await cli(decode(strategy, '--searched-hints'), {
        model: withParts(model, { languageModel }),
      });
      expect([unread.code, unread.stderr]).toEqual([2, expect.stringContaining('This model reads no hints')]);
      const wordless = withParts(readers, { languageModel: undefined });
      const unsearched = await cli(decode(strategy, '--searched-hints'), { model: wordless });
      expect([unsearched.code, unsearched.stderr]).toEqual([2, expect.stringContaining('with searched hints needs')]);
    },
  );

  it('hands options over, not only past the checks', async () => {
    const model = modelWithStudents();
    const { stdout } = await cli(decode('masked-diffusion', '--iterations', '2', '--json'), { model });
    expect(JSON.parse(stdout).rows[0].statistics.forwards).toBe(2);
    const all = await cli(decode('masked-diffusion', '--json'), { model: modelWithStudents() });
    expect(JSON.parse(all.stdout).rows[0].statistics.forwards).toBe(3);
    const long = await cli(decode('mask-predict', '--length', '2'), { model: modelWithStudents() });
    expect(long.stdout).toBe('ein Hund\n');
  });

  it('shows what events carry, unknown log-probabilities as null', async () => {
    const { stdout } = await cli(decode('masked-diffusion', '--jsonl'), { model: modelWithStudents() });
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const revisions = events.filter(({ type }) => type === 'canvas-revise');
    expect(revisions).toHaveLength(3);
    expect(revisions[0].logProbs).toHaveLength(3);
    expect(revisions[0].logProbs.filter((value: unknown) => value === null)).toHaveLength(2);
    expect(revisions.at(-1)).toMatchObject({ tokenIds: [4, 5, 6], text: 'ein Hund läuft' });
  });

  it('refuses to rescore a single length', async () => {
    const { code, stderr } = await cli(decode('nat', '--rescoring'), { model: modelWithStudents() });
    expect(code).toBe(2);
    expect(stderr).toContain('lengthBeam of 2 or more is required');
  });
});

describe('ctc-prefix-beam and the other parts of a folder', () => {
  it('prints what the greedy collapse prints where labels have one candidate', async () => {
    const model = fakeModel();
    const { code, stdout } = await cli(decode('ctc-prefix-beam', '--candidates', '1'), { model });
    expect([code, stdout]).toEqual([0, 'ein Hund ein\n']);
  });

  it.each([
    [[], 'Mann Mann Mann'],
    [['--language-model-weight', '0.3'], 'Mann Mann Mann'],
    [['--language-model-weight', '0.01'], 'ein Hund läuft'],
    [['--language-model-weight', '0'], 'ein Hund läuft'],
    [['--language-model-weight', '0', '--hot-word', 'man'], 'Mann Mann Mann'],
    [
      ['--language-model-weight', '0', '--hot-word', 'man', '--hot-word', 'dog runs', '--hot-word-bonus', '0.1'],
      'ein Hund läuft',
    ],
  ])('%j: %s', async (more, text) => {
    const { code, stdout, stderr } = await cli(decode('ctc-prefix-beam', ...more), { model: modelWithNgrams() });
    expect([code, stdout, stderr]).toEqual([0, `${text}\n`, '']);
  });

  it('needs no n-grams to leave them out', async () => {
    const argv = decode('ctc-prefix-beam', '--candidates', '1', '--language-model-weight', '0');
    expect((await cli(argv)).stdout).toBe('ein Hund ein\n');
  });

  it('keeps n-grams of its own output apart with --no-repeat-ngram-size', async () => {
    const argv = ['decode', '--strategy', 'ctc-prefix-beam', '--no-repeat-ngram-size', '1', '--text', 'a a a'];
    const { code, stdout } = await cli(argv, { model: modelWithNgrams() });
    expect(code).toBe(0);
    const words = stdout.trimEnd().split(' ');
    expect(new Set(words).size).toBe(words.length);
  });

  it('shows hypotheses and alignments in --json', async () => {
    const { stdout } = await cli(decode('ctc-prefix-beam', '--json', '--hypotheses', '3', '--alignments'), {
      model: modelWithNgrams(),
    });
    const { hypotheses } = JSON.parse(stdout).rows[0];
    expect(hypotheses).toHaveLength(3);
    expect(hypotheses[0].alignment.firstFrames).toHaveLength(3);
  });

  it.each([
    ['ctc-prefix-beam', ['--candidates', '1', '--language-model-weight', '1'], 'needs an n-gram model'],
    ['dag-beam', ['--language-model-weight', '1'], 'needs an n-gram model'],
    ['ctc-prefix-beam', ['--candidates', '2'], '2 candidates a frame'],
  ])('%s %j is refused: %s', async (strategy, more, message) => {
    const ctc = fakeModel().part('lattice');
    const { code, stderr } = await cli(decode(strategy, ...more), {
      model: withParts(modelWithStudents(), { ctc }),
    });
    expect(code).toBe(2);
    expect(stderr).toContain('error UNSUPPORTED_CAPABILITY');
    expect(stderr).toContain(message);
  });
});
