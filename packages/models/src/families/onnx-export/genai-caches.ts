import { invalidFolder, quote } from '../../folder/refusal.js';
import type { GraphParts } from '../../onnx/graph-parts.js';
import { grownCaches } from '../../onnx/grown-caches.js';
import type { ExportGraph } from './export-manifest.js';
import { decoderRoles, encoderRoles } from './export-roles.js';
import { GENAI_CONFIG } from './genai-config.js';

/** What a decoder's own keys and values become, as exporters usually call it. */
const OWN = /^present\.\d+(?:\.decoder)?\.(?:key|value)$/;
const OF_OUTPUTS = 'present_key_names and present_value_names';
const OF_SOURCES =
  'Correct cross_past_key_names and cross_past_value_names of model.decoder.inputs, or cross_present_key_names and cross_present_value_names of model.encoder.outputs';

/**
 * Throws `INVALID_MODEL_FOLDER` where a config names keys as what values become, or values as what keys become: their shapes are the same, so that the
 * graph would run, and give nonsense. What a graph does not tell of itself is not refused.
 */
export function assertNamedCaches(graph: ExportGraph, parts: GraphParts, folder: string): void {
  const { caches, file } = decoderRoles(graph);
  const given = new Set(caches.flatMap(({ output }) => output ?? []));
  const grown = grownCaches(parts, new Set(caches.map(({ input }) => input)), given);
  const wrong = caches.find(({ input, output }) => grown.has(input) && grown.get(input) !== output);
  if (wrong === undefined) return;
  const { input, output } = wrong;
  const required = grown.get(input);
  throw invalidFolder(
    `${GENAI_CONFIG} in ${folder}: by its names ${quote(input)} becomes ${quote(output)}, but in ${file} it becomes ${quote(required)}. Correct past_key_names and past_value_names of model.decoder.inputs, or present_key_names and present_value_names of model.decoder.outputs: two of them are exchanged.`,
    { folder, file: GENAI_CONFIG, field: 'model.decoder', received: output, required },
  );
}

/**
 * Throws `INVALID_MODEL_FOLDER` where a decoder reads sources of which a config does not say what gives them, or says it of the wrong output:
 * keys and values have the same shapes. That only the names tell which the graphs themselves have, where those of the encoder's
 * outputs are those of the decoder's inputs.
 */
export function assertNamedSources(encoder: ExportGraph | undefined, decoder: ExportGraph, folder: string): void {
  const fault = (why: string, field: string, received: unknown, required: string): Error =>
    invalidFolder(`${GENAI_CONFIG} in ${folder}: ${why}`, { folder, file: GENAI_CONFIG, field, received, required });
  const { caches: taken, states } = decoderRoles(decoder);
  const orphans = taken.filter(({ output }) => output === undefined);
  const own = orphans.find(({ present }) => OWN.test(present));
  if (own !== undefined) {
    const why = `by its names no output of ${decoder.file} is what ${quote(own.input)} becomes`;
    throw fault(
      `${why}. Correct ${OF_OUTPUTS} of model.decoder.outputs.`,
      'model.decoder.outputs',
      own.input,
      'an output',
    );
  }
  if (encoder === undefined) {
    const first = orphans.find(({ input, present }) => /cross|encoder/.test(input + present))?.input ?? states;
    if (first === undefined) return;
    const why = `model.encoder is missing, but ${decoder.file} takes ${quote(first)}, which an encoder gives`;
    throw fault(`${why}. Fetch or correct the file.`, 'model.encoder', undefined, 'an encoder');
  }
  const given = encoderRoles(encoder).caches;
  for (const { input, present } of orphans) {
    const received = given.get(present);
    const required = input.replace(/^past/, 'present');
    if (received === undefined) {
      const why = `by its names no output of ${encoder.file} becomes ${quote(input)} of ${decoder.file}`;
      throw fault(`${why}. ${OF_SOURCES}, or fetch graphs of one model.`, 'model.decoder.inputs', input, 'an output');
    }
    if (received === required || !Object.hasOwn(encoder.outputs, required)) continue;
    const why = `by its names ${quote(received)} of ${encoder.file} becomes ${quote(input)} of ${decoder.file}, but ${quote(required)} does by their own`;
    throw fault(`${why}. ${OF_SOURCES}: two of them are exchanged.`, 'model.encoder.outputs', received, required);
  }
}
