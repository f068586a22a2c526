import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect } from '@foretoken/core';
import { loadModel } from '@foretoken/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { candidatesFor } from '../src/advise/candidates.js';
import { commandFor, decoderFor, optionsFor, programFor } from '../src/advise/code.js';
import { findPart } from '../src/strategy-names.js';
import { cli, endlessModel, fakeModel } from './support.js';

/** Tokens that a measured output of a short sentence has at most. */
const MEASURED = 64;

describe('foretoken advise', () => {
  let folder: string;
  let data: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foretoken-advise-'));
    data = join(folder, 'data.txt');
    await writeFile(data, 'a dog runs\n\na man sits on grass\na dog\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('measures what the model can serve, and says that three sentences are few', async () => {
    let reads = 0;
    const model = fakeModel();
    const svg = join(folder, 'chart.svg');
    const outcome = await cli(['advise', '--data', data, '--json', '--svg', svg], {
      model,
      services: { now: () => reads++ },
    });
    const record = JSON.parse(outcome.stdout);
    expect(outcome.code).toBe(0);
    expect(record).toMatchObject({ version: 1, sentences: 3, quality: 'exact', confidence: 'low' });
    // A prefix beam is not among them: this lattice has one candidate a frame.
    const names = record.strategies.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['greedy', 'speculative, lattice', 'speculative, copy', 'speculative, ngram', 'ctc']);
    expect(record.strategies[0].quality).toBe(100);
    expect(record.program).toContain("from '@foretoken/models'");
    expect(await readFile(svg, 'utf8')).toContain('<svg');
    expect(outcome.stderr).toContain('Left out: 1 lines');
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });

  it('ends what does not end by itself, such as the output of a language model', async () => {
    let reads = 0;
    const model = endlessModel();
    const run = (...more: string[]) =>
      cli(['advise', '--data', data, ...more], { model, services: { now: () => reads++ } });
    expect((await run()).code).toBe(0);
    const before = model.forwards();
    // A decode to try it, and three repeats, of each of three sentences at most; a draft is accepted and saves some.
    expect(before).toBeLessThan(MEASURED * 3 * (1 + 3 * 3));
    await run('--max-new-tokens', '2');
    expect(model.forwards() - before).toBeLessThan(before / 10);
  });

  it('is readable at 40 columns', async () => {
    let reads = 0;
    const surroundings = { stdoutIsTerminal: true, columns: 40, services: { now: () => reads++ } };
    const { stdout } = await cli(['advise', '--data', data], surroundings);
    const [prose] = stdout.split('\nforetoken decode');
    for (const line of prose.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
    expect(stdout).toContain('Low confidence:');
  });

  it.each([
    [[], 'needs --data'],
    [['--quality', 'bleu'], '--quality bleu needs --references'],
    [['--quality', 'good'], '--quality must be one of bleu, chrf, exact'],
    [['--latency-budget', 'soon'], '--latency-budget must be a time such as 50ms'],
    [['--latency-budget', '0ms'], '--latency-budget must be a time'],
    [['--references', '/no'], '--references "/no" cannot be read'],
    [['--svg', '/no/such/chart.svg'], '--svg "/no/such/chart.svg" cannot be written'],
  ])('%j: %s', async (argv, message) => {
    let reads = 0;
    const services = { now: () => reads++ };
    const given = argv.length === 0 ? [] : ['--data', data];
    const { code, stderr } = await cli(['advise', ...given, ...argv], { services });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

const shipped = fileURLToPath(new URL('../../../packages/model-multi30k-en-de/model', import.meta.url));

describe('the code to paste', () => {
  const SENTENCE = 'Two dogs are running through the snow.';
  const cache = fileURLToPath(new URL('../node_modules/.cache/advise/', import.meta.url));
  afterAll(() => rm(cache, { recursive: true, force: true }));

  it('decodes as was measured, whatever is recommended', async () => {
    const model = await loadModel(shipped, { threads: 1 });
    try {
      const ngrams = findPart(model, 'languageModel') !== undefined;
      const candidates = candidatesFor(model);
      expect(candidates.length).toBeGreaterThan(15);
      const parts = candidates.map((candidate) => ({ candidate, ...decoderFor(candidate, ngrams) }));
      const imports = new Map<string, Set<string>>();
      for (const [name, names] of parts.flatMap((part) => Object.entries(part.imports))) {
        imports.set(name, new Set([...(imports.get(name) ?? []), ...names]));
      }
      const lines = [...imports].map(([name, names]) => `import { ${[...names].join(', ')} } from '${name}';`);
      const tries = parts.map(
        ({ text, candidate }) => `  async () => (await model.decode(sentence, ${text}${optionsFor(candidate)})).text,`,
      );
      await mkdir(cache, { recursive: true });
      const file = join(cache, 'all.ts');
      await writeFile(
        file,
        [...lines, 'export const all = (model: any, sentence: string) => [', ...tries, '];'].join('\n'),
      );
      const { all } = await import(/* @vite-ignore */ file);
      const texts: (() => Promise<string>)[] = all(model, SENTENCE);
      for (const [index, { bound, name }] of candidates.entries()) {
        const sources = [model.tokenizer.encode(SENTENCE)];
        const { results } = await collect(bound.decode({ sources }));
        expect([name, await texts[index]()]).toEqual([name, model.tokenizer.decode(results[0].best.tokenIds)]);
      }
    } finally {
      await model.dispose();
    }
  });

  it('is a whole program, and a command that the command line takes', async () => {
    const candidate = { name: 'ctc, fast', strategy: 'ctc', variant: 'fast' } as const;
    const program = programFor(candidate, { model: 'a "folder"', sentence: "it's", ngrams: true });
    expect(program).toBe(
      [
        "import { loadModel } from '@foretoken/models';",
        "import { ctcGreedy } from '@foretoken/one-shot';",
        '',
        'const model = await loadModel("a \\"folder\\"");',
        'const decoder = ctcGreedy();',
        "const { text } = await model.decode(\"it's\", decoder, { variant: 'fast' });",
        'console.log(text);',
        'await model.dispose();',
        '',
      ].join('\n'),
    );
    expect(commandFor(candidate, "it's", 'my captions.en')).toBe(
      "foretoken decode --strategy ctc --variant fast --model 'it'\\''s' --file 'my captions.en'",
    );
    expect(commandFor(candidate, undefined, 'captions.en')).toBe(
      'foretoken decode --strategy ctc --variant fast --file captions.en',
    );
    const packages = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).dependencies;
    expect(Object.keys(packages)).toContain('@foretoken/one-shot');
  });
});
