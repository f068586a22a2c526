import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AutoregressiveModel, collect, type Drafter, type TokenSource } from '@foretoken/core';
import { chainDraft, NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { speculative } from '@foretoken/speculative';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proveRebuilt } from '../src/families/onnx-export/prove-rebuilt.js';
import { type LoadedModel, loadModel, textProcessor } from '../src/index.js';
import { encoderDecoderFolder, encoderDecoderWeights } from './encoder-decoder-fixtures.js';
import { exportCopy, exportFolder } from './export-folders.js';
import { edit } from './export-refusal.js';
import { temporaryFolder } from './folder-fixtures.js';

/** Written by apps/distill/make_padding_goldens.py: padding inside sources and outputs, which transformers was fed token by token. */
interface PaddingRow {
  readonly source: readonly number[];
  readonly fed: readonly number[];
  /** After the last of the fed tokens. */
  readonly logits: readonly number[];
}

type Model = AutoregressiveModel<TokenSource>;

const GOLDENS = JSON.parse(await readFile(new URL('goldens/padding.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, readonly PaddingRow[]>
>;
const KINDS = Object.entries(GOLDENS);
/** Models whose positions leave out padding. */
const PAD = 1;
const LEFT_OUT = ['m2m100', 'nllb'];
/** For folders without a tokenizer. */
const IDS = textProcessor({ encode: () => new Int32Array(), decode: () => '', countUnknown: () => 0 });

/** Logits after each of these tokens, of which so many are read in each forward. */
async function logitsOf(model: Model, { source, fed }: PaddingRow, together: number): Promise<Float32Array[]> {
  await using forest = await model.open([Int32Array.from(source)]);
  const rows: Float32Array[] = [];
  let last = ROOT;
  for (let begin = 0; begin < fed.length; begin += together) {
    const nodes = new NodeBatch();
    const chain = Int32Array.from(fed.slice(begin, begin + together));
    nodes.addChain(0, last, chain, 'all');
    const { logits, firstNode } = await forest.extend(nodes, { kind: 'logits' });
    last = firstNode + chain.length - 1;
    for (let at = 0; at < logits.length; at += model.vocabulary.size) {
      rows.push(logits.subarray(at, at + model.vocabulary.size));
    }
  }
  return rows;
}

/** The most by which scores of tokens that are possible differ. */
function apart(given: Float32Array, required: ArrayLike<number>): number {
  return given.reduce((max, score, id) => {
    return score < -10_000 ? max : Math.max(max, Math.abs(score - required[id]));
  }, 0);
}

async function expectGoldens(model: Model, rows: readonly PaddingRow[]): Promise<void> {
  for (const row of rows) {
    const steps = await logitsOf(model, row, 1);
    expect(apart(steps[steps.length - 1], row.logits)).toBeLessThan(1e-4);
    for (const together of [2, 3, row.fed.length]) {
      const chains = await logitsOf(model, row, together);
      for (const [at, step] of steps.entries()) expect(apart(chains[at], step)).toBeLessThan(2e-5);
    }
  }
}

/** Proposes padding, alone, and before and behind what the output ends with. */
function paddingDrafter(pad: number, last: number): Drafter<TokenSource> {
  return {
    name: 'padding',
    async open() {
      let forwards = 0;
      return {
        get forwards() {
          return forwards;
        },
        propose(requests) {
          forwards++;
          return requests.map(({ limit: { nodes, depth } }) =>
            chainDraft([pad, last, pad, pad, last].slice(0, Math.min(nodes, depth))),
          );
        },
        finish() {},
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}

/** Speculation says what greedy decoding says where padding stands in sources, in outputs and in drafts. */
async function expectGreedy(model: Model, rows: readonly PaddingRow[]): Promise<void> {
  const request = {
    sources: rows.map(({ source }) => Int32Array.from(source)),
    outputPrefixes: rows.map(({ fed }) => Int32Array.from(fed.slice(1))),
    maxNewTokens: 24,
  };
  const best = async (decoder: ReturnType<typeof greedy>) =>
    (await collect(decoder.decode(model, request))).results.map(({ best: { tokenIds } }) => [...tokenIds]);
  const plain = await best(greedy());
  const { padTokenId: pad = PAD } = model.vocabulary;
  for (const last of [7, 9]) expect(await best(speculative({ drafter: paddingDrafter(pad, last) }))).toEqual(plain);
}

describe.each(KINDS)('padding inside sources and outputs of an imported %s model', (kind, rows) => {
  let loaded: LoadedModel;
  beforeAll(async () => {
    loaded = await loadModel(await encoderDecoderFolder(kind), { probe: false });
  });
  afterAll(() => loaded.dispose());

  it('has the logits of transformers, token by token and several at once', async () => {
    await expectGoldens(loaded.part('autoregressive'), rows);
  });

  it('is drafted without a change', async () => {
    await expectGreedy(loaded.part('autoregressive'), rows);
  });

  it('has the logits of transformers in a batch', async () => {
    const model = loaded.part('autoregressive');
    await using forest = await model.open(rows.map(({ source }) => Int32Array.from(source)));
    const nodes = new NodeBatch();
    for (const [row, { fed }] of rows.entries()) nodes.addChain(row, ROOT, Int32Array.from(fed), 'last');
    const { logits } = await forest.extend(nodes, { kind: 'logits' });
    const { size } = model.vocabulary;
    for (const [row, { logits: required }] of rows.entries()) {
      expect(apart(logits.subarray(row * size, (row + 1) * size), required)).toBeLessThan(1e-4);
    }
  });

  it('is named in the manifest where it has no position', () => {
    const { architecture } = loaded.manifest as { readonly architecture?: object };
    expect(architecture).toEqual(
      LEFT_OUT.includes(kind)
        ? expect.objectContaining({ unplacedTokenId: PAD })
        : expect.not.objectContaining({ unplacedTokenId: PAD }),
    );
  });
});

/** Of an export whose graphs run as they are. */
const asExported = (folder: string) => loadModel(folder, { probe: false, improveGraph: false, processor: IDS });

/** A copy of the export whose outputs may have padding. */
async function paddable(): Promise<string> {
  const folder = await exportCopy('m2m100');
  for (const file of ['sentencepiece.bpe.model', 'vocab.json', 'tokenizer_config.json']) {
    await cp(join(encoderDecoderWeights('m2m100'), file), join(folder, file));
  }
  await edit(folder, 'generation_config.json', ({ bad_words_ids: _, ...config }) => config);
  return folder;
}

describe('padding inside sources and outputs of an export', () => {
  it('has the logits of transformers as exported, where a run leaves it out of its positions', async () => {
    await using loaded = await asExported(await paddable());
    const model = loaded.part('autoregressive');
    await expectGoldens(model, GOLDENS.m2m100);
    await expectGreedy(model, GOLDENS.m2m100);
  });

  it.each(['bart', 'marian', 'marian-separate', 't5'])(
    'is read alike in one run and in several of %s',
    async (kind) => {
      await using loaded = await asExported(exportFolder(kind));
      const model = loaded.part('autoregressive');
      const pad = model.vocabulary.padTokenId ?? 0;
      const row = { source: [5, pad, 9, pad, 7], fed: [pad, 4, pad, 7, pad, pad, 6, 9], logits: [] };
      const steps = await logitsOf(model, row, 1);
      const chain = await logitsOf(model, row, row.fed.length);
      for (const [at, step] of steps.entries()) expect(apart(chain[at], step)).toBeLessThan(2e-5);
    },
  );

  it('has the logits of transformers by graphs built anew, which are proved with it', async () => {
    const before = process.env.FORETOKEN_CACHE;
    process.env.FORETOKEN_CACHE = await temporaryFolder();
    try {
      await using loaded = await loadModel(await paddable(), { probe: false });
      expect(loaded.description.facts).toContainEqual(['improved graphs', expect.stringMatching(/^built of its/)]);
      await expectGoldens(loaded.part('autoregressive'), GOLDENS.m2m100);
      await expectGreedy(loaded.part('autoregressive'), GOLDENS.m2m100);
    } finally {
      if (before === undefined) delete process.env.FORETOKEN_CACHE;
      else process.env.FORETOKEN_CACHE = before;
    }
  });

  it('has a position in graphs that are not proved', async () => {
    const folder = await encoderDecoderFolder('m2m100');
    await edit(folder, 'foretoken.json', ({ architecture, ...manifest }) => {
      const { unplacedTokenId: _, ...others } = architecture as Readonly<Record<string, unknown>>;
      return { ...manifest, architecture: others };
    });
    await using placed = await loadModel(folder, { probe: false });
    await using loaded = await asExported(await exportCopy('m2m100'));
    const untouched = loaded.part('autoregressive');
    const { vocabulary } = untouched;
    await expect(
      proveRebuilt(placed.part('autoregressive'), untouched, { length: 12, vocabulary }),
    ).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'logits' } });
  });
});
