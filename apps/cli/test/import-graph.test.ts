import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CtcInput, type CtcOutput, type FloatSource, loadModel } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saying, writeCtcGraph } from '../../../packages/importers/test/ctc-fixture.js';
import { services as packages } from '../src/services.js';
import { cli } from './support.js';

let folder: string;
let graph: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-ctc-'));
  graph = await writeCtcGraph(folder, { classes: 6, blankId: 0 });
});
afterAll(() => rm(folder, { recursive: true }));

async function dictionaryOf(lines: readonly string[]): Promise<string> {
  const file = join(folder, `keys-${count++}.txt`);
  await writeFile(file, lines.join('\n'));
  return file;
}

const { importCtcModel, describeModel } = packages;
const importGraph = (...options: readonly string[]) =>
  cli(['import', graph, ...options], { services: { importCtcModel, describeModel } });

/** What the imported model reads where classes 1, 5 and 2 are said. */
async function heard(out: string): Promise<string> {
  await using model = await loadModel<CtcInput, CtcOutput, FloatSource>(out);
  return (await model.decode(saying([1, 5, 2]), ctcGreedy<FloatSource>())).text;
}

describe('import of a CTC graph', () => {
  it.each([
    ['labels without a space', ['a', 'b', 'c', 'd', 'e'], ['--space', 'none'], 'aeb'],
    ['a space that the dictionary lacks', ['a', 'b', 'c', 'd'], ['--space', 'last'], 'a b'],
    ['a blank by its class', ['a', 'b', 'c', 'd', 'e'], ['--space', 'none', '--blank', '0'], 'aeb'],
    ['a blank by its label', ['_', 'a', 'b', 'c', 'd', 'e'], ['--blank', '_'], 'aeb'],
    ['a blank by its usual label', ['<blank>', 'a', 'b', 'c', 'd', 'e'], [], 'aeb'],
  ])('makes a model that reads: %s', async (_, labels, options, text) => {
    const out = join(folder, `model-${count++}`);
    const dictionary = await dictionaryOf(labels);
    const more = ['--name', 'letters', '--licence', 'MIT', '--description', 'five letters'];
    const { code, stdout, stderr } = await importGraph('--dictionary', dictionary, ...options, '--out', out, ...more);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('letters');
    const manifest = JSON.parse(await readFile(join(out, 'foretoken.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: 'letters', licence: 'MIT', description: 'five letters', family: 'ctc' });
    expect(await heard(out)).toBe(text);
  });

  it('takes the language of a dictionary of several', async () => {
    const labels = { '<pad>': 0, '|': 5, b: 2, c: 3, d: 4 };
    const dictionary = join(await mkdtemp(join(folder, 'languages-')), 'vocab.json');
    await writeFile(dictionary, JSON.stringify({ eng: { ...labels, a: 1 }, deu: { ...labels, ä: 1 } }));
    const out = join(folder, `model-${count++}`);
    const without = await importGraph('--dictionary', dictionary, '--out', out);
    expect(without.code).not.toBe(0);
    expect(without.stderr).toMatch(/2 languages.*--language.*"eng", "deu"/);
    expect(await importGraph('--dictionary', dictionary, '--language', 'deu', '--out', out)).toMatchObject({ code: 0 });
    expect(await heard(out)).toBe('ä b');
  });

  it('refuses a dictionary or a blank that does not fit, and writes nothing', async () => {
    const out = join(folder, 'never');
    const short = await dictionaryOf(['a', 'b']);
    const whole = await dictionaryOf(['a', 'b', 'c', 'd', 'e']);
    for (const options of [
      ['--dictionary', short, '--space', 'none'],
      ['--dictionary', whole],
      ['--dictionary', whole, '--space', 'none', '--blank', '3'],
      ['--dictionary', whole, '--space', 'none', '--blank', '999999999999999999999'],
      ['--dictionary', whole, '--space', 'none', '--blank', 'z'],
      ['--dictionary', whole, '--space', 'first'],
      ['--dictionary', join(folder, 'no-such-file.txt')],
      ['--dictionary', ''],
      [],
    ]) {
      const { code, stderr } = await importGraph(...options, '--out', out);
      expect(code, stderr).toBe(2);
      expect(stderr).toMatch(/^error INVALID_(ARGUMENT|MODEL_FOLDER): /);
      await expect(readFile(join(out, 'foretoken.json'))).rejects.toMatchObject({ code: 'ENOENT' });
    }
    const { stderr } = await importGraph('--out', out);
    expect(stderr).toContain('An export with encoder and decoder needs no import: pass its folder as --model.');
  });

  it('replaces a model only when it is told to', async () => {
    const out = join(folder, `model-${count++}`);
    const options = ['--dictionary', await dictionaryOf(['a', 'b', 'c', 'd', 'e']), '--space', 'none', '--out', out];
    expect((await importGraph(...options)).code).toBe(0);
    expect((await importGraph(...options)).code).toBe(2);
    expect((await importGraph(...options, '--replace')).code).toBe(0);
  });

  it.each(['ctc', 'ctc-fast', 'canvas', 'dag', 'edit', 'weights', 'step-layout'])(
    'has no use for --%s',
    async (name) => {
      const { code, stderr } = await cli(['import', 'a.onnx', '--dictionary', 'd', '--out', 'o', `--${name}`, 'body']);
      expect(code).toBe(2);
      expect(stderr).toContain(`--${name} goes with weights, but a.onnx is a graph.`);
    },
  );

  it.each(['dictionary', 'language', 'blank', 'space'])('and weights have none for --%s', async (name) => {
    const line = ['import', join(folder, 'weights'), '--out', 'o', `--${name}`, 'none'];
    const { code, stderr } = await cli(line, { services: { importCtcModel } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/weights/);
    expect((await cli([...line, '--weights', 'int8'])).stderr).toContain(
      `--weights goes with weights, but --${name} goes with a CTC graph.`,
    );
  });
});

describe('a model that reads no text', () => {
  it('is told from one that does, in words, by every command that decodes', async () => {
    const out = join(folder, `model-${count++}`);
    const options = ['--dictionary', await dictionaryOf(['a', 'b', 'c', 'd', 'e']), '--space', 'none', '--out', out];
    expect((await importGraph(...options)).code).toBe(0);
    const commands = [
      ['decode', 'hello there', '--strategy', 'ctc'],
      ['decode', 'abc', '--strategy', 'ctc', '--json'],
      ['race', '--text', 'hello there'],
    ];
    for (const command of commands) {
      const { code, stdout, stderr } = await cli([...command, '--model', out], {
        services: { loadModel: packages.loadModel },
      });
      expect(code, stderr).toBe(2);
      expect(stdout + stderr).toContain('reads no text: it takes a Float32Array of samples, or { values, dims }');
      expect(stdout + stderr).toMatch(/UNSUPPORTED_CAPABILITY/);
      expect(stdout + stderr).not.toContain('no symbol');
    }
  });
});
