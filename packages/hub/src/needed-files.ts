import { ForetokenError } from '@foretoken/core';
import type { HubFile } from './list-hub-files.js';

/** The manifest of a folder that Foretoken can load as it is. */
const MANIFEST = 'foretoken.json';

/** What onnxruntime-genai reads of a graph beside it. */
const GENAI = 'genai_config.json';

const BESIDE_WEIGHTS = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'source.spm',
  'target.spm',
  'vocab.json',
  'target_vocab.json',
  'sentencepiece.bpe.model',
  'spiece.model',
];
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const SHARD = /^model-\d{5}-of-\d{5}\.safetensors$/;

/**
 * The files of a repository that are of use: of a Foretoken model folder all, else weights, or the graphs of an
 * ONNX export, in fp32, with what describes them. Throws
 * `UNSUPPORTED_MODEL` where there are neither.
 */
export function neededFiles(files: readonly HubFile[], repository: string): HubFile[] {
  const has = (path: string): boolean => files.some((file) => file.path === path);
  if (has(MANIFEST)) return files.filter(({ path }) => !/^\.|(^|\/)(README|LICENSE)(\.md)?$/.test(path));
  if (has(WEIGHTS)) return files.filter(({ path }) => path === WEIGHTS || BESIDE_WEIGHTS.includes(path));
  if (has(INDEX)) {
    return files.filter(({ path }) => path === INDEX || SHARD.test(path) || BESIDE_WEIGHTS.includes(path));
  }
  const graphs = exportGraphs(has);
  if (graphs !== undefined) {
    const wanted = new Set([GENAI, ...graphs, ...graphs.flatMap((graph) => weightsBeside(graph, files))]);
    return files.filter(({ path }) => wanted.has(path) || BESIDE_WEIGHTS.includes(path));
  }
  const pickle = files.find(({ path }) => /^pytorch_model(-\d+-of-\d+)?\.bin$/.test(path));
  throw new ForetokenError(
    'UNSUPPORTED_MODEL',
    pickle === undefined
      ? `${repository} on the hub holds neither ${MANIFEST} nor ${WEIGHTS}. Name a repository that holds one of them.`
      : `${repository} on the hub holds its weights as ${pickle.path}, a pickle, which can run any code when it is read; ${WEIGHTS} is required. Look for a revision that has it (many have a pull request, as in hub:owner/name@refs/pr/1), or convert it with save_pretrained(folder, safe_serialization=True) on a machine you can lose.`,
    { repository, received: files.slice(0, 20).map(({ path }) => path), required: [MANIFEST, WEIGHTS, INDEX] },
  );
}

/** The fp32 graphs of an ONNX export, as Optimum and transformers.js name them; `undefined` where there are none. */
function exportGraphs(has: (path: string) => boolean): readonly string[] | undefined {
  for (const place of ['', 'onnx/']) {
    const file = (name: string): string => `${place}${name}.onnx`;
    const decoders = [[file('decoder_model_merged')], [file('decoder_model'), file('decoder_with_past_model')]];
    const decoder = decoders.find((graphs) => graphs.every(has));
    if (has(file('encoder_model'))) {
      if (decoder !== undefined) return [file('encoder_model'), ...decoder];
    } else if (has(file('model'))) return [file('model')];
    else if (decoder !== undefined) return decoder;
  }
  return undefined;
}

/** Files of weights that exporters write beside a graph: `model.onnx_data`, `model.onnx_data_1` and so on. */
function weightsBeside(graph: string, files: readonly HubFile[]): string[] {
  return files
    .map(({ path }) => path)
    .filter((path) => path.startsWith(graph) && /^[._]data(_\d+)?$/.test(path.slice(graph.length)));
}
