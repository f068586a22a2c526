/**
 * Another runtime in a process of its own, which decodes greedily and tells how long it took. It reads lines of JSON, `[tokenIds,
 * newTokens]`, and answers each with `{ tokenIds, seconds, processorSeconds }`; what is loaded is no part of the time.
 *
 *     node language_model_peer.mjs PEERS transformers.js smollm2 fp32 1
 *     node language_model_peer.mjs PEERS transformers.js teacher fp32 1
 *     node language_model_peer.mjs PEERS llama.cpp smollm2/smollm2-f32.gguf - 1
 *
 * PEERS is a folder with the models and the packages @huggingface/transformers and node-llama-cpp.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [peers, runtime, model, dtype, threads] = process.argv.slice(2);
const { resolve: find } = createRequire(pathToFileURL(join(resolve(peers), 'index.js')));
const place = resolve(peers, model);

async function openTransformers() {
  const { AutoModelForCausalLM, AutoModelForSeq2SeqLM, Tensor, env } = await import(
    pathToFileURL(find('@huggingface/transformers')).href
  );
  env.allowRemoteModels = false;
  env.localModelPath = '';
  const session_options = { intraOpNumThreads: Number(threads), interOpNumThreads: 1 };
  const { is_encoder_decoder: encodes } = JSON.parse(readFileSync(join(place, 'config.json'), 'utf8'));
  const kind = encodes ? AutoModelForSeq2SeqLM : AutoModelForCausalLM;
  // What an output begins with, which is no new token.
  const begun = (source) => (encodes ? 1 : source.length);
  const loaded = await kind.from_pretrained(place, { dtype, device: 'cpu', session_options });
  return async (tokenIds, newTokens) => {
    const row = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
    const inputs = row(tokenIds);
    const attention_mask = row(tokenIds.map(() => 1));
    const output = await loaded.generate({
      inputs,
      attention_mask,
      max_new_tokens: newTokens,
      do_sample: false,
      num_beams: 1,
    });
    return [...output.data].slice(begun(tokenIds)).map(Number);
  };
}

async function openLlama() {
  const { getLlama } = await import(pathToFileURL(join(peers, 'node_modules/node-llama-cpp/dist/index.js')).href);
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: Number(threads), logLevel: 'error' });
  const loaded = await llama.loadModel({ modelPath: place });
  const context = await loaded.createContext({ contextSize: 1024, threads: Number(threads) });
  const sequence = context.getSequence();
  return async (tokenIds, newTokens) => {
    await sequence.clearHistory();
    const output = [];
    for await (const tokenId of sequence.evaluate(tokenIds, { temperature: 0, yieldEogToken: true })) {
      output.push(tokenId);
      if (output.length === newTokens || loaded.isEogToken(tokenId)) break;
    }
    return output;
  };
}

const decode = await (runtime === 'llama.cpp' ? openLlama() : openTransformers());
for await (const line of createInterface({ input: process.stdin })) {
  const [tokenIds, newTokens] = JSON.parse(line);
  const before = process.cpuUsage();
  const began = performance.now();
  const output = await decode(tokenIds, newTokens);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  const processorSeconds = (user + system) / 1e6;
  process.stdout.write(`${JSON.stringify({ tokenIds: output, seconds, processorSeconds })}\n`);
}
process.exit(0);
