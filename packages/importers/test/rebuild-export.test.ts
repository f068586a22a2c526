import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, ForetokenError } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { type GraphImprover, type LoadOptions, loadModel } from '@foretoken/models';
import { improvedGraphs, openModelFolder } from '@foretoken/models/internal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rebuildExport } from '../src/index.js';

interface Row {
  readonly source: readonly number[];
  readonly fed: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly greedy: readonly number[];
}

const EXPORTS = fileURLToPath(new URL('../../models/test/goldens/exports', import.meta.url));
const FACT = 'improved graphs';
const KINDS = ['marian', 'bart', 't5', 'llama'];

let scratch: string;
const before = process.env.FORETOKEN_CACHE;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'foretoken-rebuild-'));
  process.env.FORETOKEN_CACHE = join(scratch, 'cache');
});
afterAll(async () => {
  if (before === undefined) delete process.env.FORETOKEN_CACHE;
  else process.env.FORETOKEN_CACHE = before;
  await rm(scratch, { recursive: true, force: true });
});

/** A copy of an export with some fields of its config changed. */
async function changed(kind: string, fields: object = {}): Promise<string> {
  const folder = await mkdtemp(join(scratch, `${kind}-`));
  await cp(join(EXPORTS, kind), folder, { recursive: true });
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...fields }));
  return folder;
}

async function factOf(folder: string, options: LoadOptions): Promise<string | undefined> {
  await using model = await loadModel(folder, { probe: false, ...options });
  return model.description.facts.find(([name]) => name === FACT)?.[1];
}

const expected = async (kind: string): Promise<readonly Row[]> =>
  JSON.parse(await readFile(join(EXPORTS, kind, 'expected.json'), 'utf8')) as readonly Row[];

describe('the graphs of an export built anew', () => {
  it.each(KINDS)('give the logits and outputs of transformers: %s', async (kind) => {
    await using model = await loadModel(join(EXPORTS, kind), { probe: false, improveGraph: rebuildExport });
    expect(model.description.facts.find(([name]) => name === FACT)?.[1]).toMatch(/^built of its weights and proved/);
    const target = model.part('autoregressive');
    // What exported graphs cannot do, ours can.
    await (await target.open([Int32Array.of(5, 1)], { joining: true }))[Symbol.asyncDispose]();
    for (const { source, fed, logits, greedy: tokens } of await expected(kind)) {
      const sources = [Int32Array.from(source)];
      const { results } = await collect(greedy().decode(target, { sources, maxNewTokens: 20 }));
      expect([...results[0].best.tokenIds]).toEqual(tokens);
      await using forest = await target.open([Int32Array.from(kind === 'llama' ? fed : source)]);
      const tokenId = Int32Array.from(fed);
      const parent = tokenId.map((_, index) => -1 - index);
      const given = await forest.extend({ row: new Int32Array(fed.length), parent, tokenId }, { kind: 'logits' });
      for (const [index, value] of logits.flat().entries()) {
        const score = given.logits[index];
        // What is never output has no score here.
        if (score > -10_000) expect(Math.abs(score - value)).toBeLessThan(1e-4);
      }
    }
  });

  it('are built and proved once, and kept by what they were made of', async () => {
    const folder = await changed('marian');
    let built = 0;
    const improveGraph: GraphImprover = async (...args) => {
      built++;
      await rebuildExport(...args);
    };
    process.env.FORETOKEN_CACHE = join(scratch, 'once');
    try {
      const first = await factOf(folder, { improveGraph });
      expect(await factOf(folder, { improveGraph })).toBe(first);
      expect(built).toBe(1);
      const [kept] = await readdir(join(scratch, 'once', 'rebuilt'));
      // A kept file that was damaged is built again, never used.
      await writeFile(join(scratch, 'once', 'rebuilt', kept, 'encoder.onnx'), 'damaged');
      expect(await factOf(folder, { improveGraph })).toBe(first);
      expect(built).toBe(2);
      // So is one that another release wrote.
      const manifest = join(scratch, 'once', 'rebuilt', kept, 'foretoken.json');
      for (const [turn, other] of [{ formatVersion: 2 }, { family: 'of-tomorrow' }].entries()) {
        await writeFile(manifest, JSON.stringify({ ...JSON.parse(await readFile(manifest, 'utf8')), ...other }));
        expect(await factOf(folder, { improveGraph })).toBe(first);
        expect(built).toBe(3 + turn);
      }
      // Another limit is another model.
      await factOf(await changed('marian', { max_position_embeddings: 39 }), { improveGraph });
      expect(built).toBe(5);
    } finally {
      process.env.FORETOKEN_CACHE = join(scratch, 'cache');
    }
  });

  it('are not used where they do not give the same, which is found once', async () => {
    process.env.FORETOKEN_CACHE = join(scratch, 'wrong');
    try {
      const folder = await changed('bart', { activation_function: 'relu' });
      let built = 0;
      const improveGraph: GraphImprover = async (...args) => {
        built++;
        await rebuildExport(...args);
      };
      const differs = /^none: graphs built anew do not give what the exported ones give: (logits|best token)/;
      await using model = await loadModel(folder, { probe: false, improveGraph });
      expect(model.description.facts.find(([name]) => name === FACT)?.[1]).toMatch(differs);
      const kept = join(scratch, 'wrong', 'rebuilt');
      const [file, ...others] = await readdir(kept);
      expect(file).toMatch(/^[0-9a-f]{32}\.failed\.json$/);
      expect(others).toEqual([]);
      const again = await factOf(folder, { improveGraph });
      expect(again).toMatch(differs);
      expect(again).toContain(`remove ${join(kept, file)} to try again`);
      expect(built).toBe(1);
      expect(await improvedGraphs(await openModelFolder(folder))).toMatch(differs);
      // What cannot be read as a reason is none.
      for (const [turn, damaged] of ['{', '[]', '{"reason":1}', 'x'.repeat(70_000)].entries()) {
        await writeFile(join(kept, file), damaged);
        expect(await factOf(folder, { improveGraph })).toMatch(differs);
        expect(built).toBe(2 + turn);
      }
      await rm(join(kept, file));
      await mkdir(join(kept, file));
      expect(await factOf(folder, { improveGraph })).toMatch(differs);
      expect(await readdir(kept)).toEqual([file]);
      // Another model is tried for itself.
      const other = await factOf(await changed('bart'), { improveGraph });
      expect(other).toMatch(/^built of its weights/);
      const [row] = await expected('bart');
      const request = { sources: [Int32Array.from(row.source)], maxNewTokens: 20 };
      const { results } = await collect(greedy().decode(model.part('autoregressive'), request));
      expect([...results[0].best.tokenIds]).toEqual(row.greedy);
    } finally {
      process.env.FORETOKEN_CACHE = join(scratch, 'cache');
    }
  });

  it('are proved again where the proof could not be ended', async () => {
    process.env.FORETOKEN_CACHE = join(scratch, 'ended');
    try {
      const folder = await changed('bart');
      const damaging: GraphImprover = async (from, target, { prove }) =>
        rebuildExport(from, target, {
          prove: async (path) => {
            await writeFile(join(path, 'encoder.onnx'), 'damaged');
            await prove(path);
          },
        });
      expect(await factOf(folder, { improveGraph: damaging })).toMatch(/^none: .*encoder\.onnx/);
      expect(await factOf(folder, { improveGraph: rebuildExport })).toMatch(/^built of its weights/);
    } finally {
      process.env.FORETOKEN_CACHE = join(scratch, 'cache');
    }
  });

  it('are not built where the option says no, of graphs in 8 bits, and of architectures that are not known', async () => {
    const folder = join(EXPORTS, 'marian');
    expect(await factOf(folder, { improveGraph: false })).toBeUndefined();
    expect(await factOf(folder, { improveGraph: rebuildExport, precision: 'q8' })).toMatch(/^none: .*fp32 is required/);
    const unknown = await changed('llama', { model_type: 'never-heard-of' });
    expect(await factOf(unknown, { improveGraph: rebuildExport })).toMatch(/^none: .*never-heard-of/);
  });

  it('are not built where weights have lost their names', async () => {
    const folder = await changed('marian');
    const file = join(folder, 'onnx', 'encoder_model.onnx');
    const bytes = await readFile(file);
    const name = 'self_attn/q_proj/MatMul';
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) bytes.write('self_attn/x_proj', at);
    await writeFile(file, bytes);
    expect(await factOf(folder, { improveGraph: rebuildExport })).toMatch(
      /^none: .*hold no tensor "model\.encoder\.layers\.0\.self_attn\.q_proj\.weight"/,
    );
  });

  it('are refused where external weights end before they should', async () => {
    const folder = await openModelFolder(join(EXPORTS, 'llama'));
    const short = {
      ...folder,
      readBytes: async (file: string) => {
        const bytes = await folder.readBytes(file);
        return file.endsWith('_data') ? bytes.subarray(0, 100) : bytes;
      },
    };
    const building = rebuildExport(short, join(scratch, 'short'), { prove: async () => undefined });
    await expect(building).rejects.toSatisfy(
      (error) =>
        ForetokenError.isInstance(error) && error.code === 'INVALID_MODEL_FOLDER' && /ends before/.test(error.message),
    );
  });
});
