import { basename } from 'node:path';

/** Files of graphs. */
export const GRAPH: RegExp = /\.onnx$/i;

/** Graphs that are a part of an encoder-decoder, as exporters name them. */
export const EXPORT_PART: RegExp = /^(?:encoder|decoder(?:_with_past)?)_model\w*\.onnx$/i;

/** What to do with a file that is given where a model folder, or a file of weights, is required. */
export function adviceForFile(path: string): string {
  if (EXPORT_PART.test(basename(path))) {
    return 'It is one graph of an export. Give the folder that holds its config.json: it is loaded as it is, without an import.';
  }
  if (GRAPH.test(path)) {
    return `A CTC graph (.onnx) is imported with its labels: foretoken import ${shellArgument(path)} --dictionary labels.txt --out my-model. Graphs of recurrent steps are imported in code, by importRecurrentSteps.`;
  }
  if (/\.gguf$/i.test(path)) return `Import it first: foretoken import ${shellArgument(path)} --out my-model.`;
  return /\.(safetensors|npz|json|bin|spm|model)$/i.test(path)
    ? 'Give the folder that holds it, with all files that came with it.'
    : 'Give a GGUF file, or the folder of the weights or of the model.';
}

/** A path as a shell reads it. */
export function shellArgument(path: string): string {
  const shown = path.replace(/\p{Cc}/gu, '?');
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : JSON.stringify(shown);
}
