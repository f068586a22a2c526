import { ForetokenError } from '@foretoken/core';
import { show } from '@foretoken/core/kit';
import { fieldsOf, jsonFields } from './json-fields.js';
import type { HubFile } from './list-hub-files.js';

/** What onnxruntime-genai reads of a graph beside it. */
export const GENAI = 'genai_config.json';
/** What it reads of how sound becomes what an encoder reads, unless the config names another file. */
const AUDIO_PROCESSOR = 'audio_processor_config.json';

/** Parts that are not used. */
const UNUSED: readonly string[] = ['mtp', 'draft', 'vad'];
/** Inputs of decoders that nothing here can run. */
const RECURRENT: readonly string[] = ['rnn_states_prev', 'lstm_hidden_state'];

type Fields = Readonly<Record<string, unknown>>;

/**
 * The graphs that the text of a config names, whatever their names are: that of a decoder, and that of an encoder with what says how its
 * sound is read. None where the config has other parts too: loading such
 * a folder says what is wrong with it, and no graph is needed for that. `undefined` where it names nothing, so that usual names count.
 *
 * Throws `INVALID_MODEL_FOLDER` for a graph that the repository does not have.
 */
export function genaiGraphs(
  text: string,
  repository: string,
  files: readonly HubFile[],
): readonly string[] | undefined {
  const model = fieldsOf(jsonFields(text).model);
  const { filename } = fieldsOf(model.decoder);
  if (typeof filename !== 'string') return undefined;
  if (!isOpened(model)) return [];
  const decoder = graphOf('decoder', filename, repository, files);
  if (!isPart(model.encoder)) return [decoder];
  const { filename: source } = fieldsOf(model.encoder);
  if (typeof source !== 'string') return [];
  const { config_filename: processor } = fieldsOf(model.speech);
  const beside = typeof processor === 'string' ? processor : AUDIO_PROCESSOR;
  return [graphOf('encoder', source, repository, files), decoder, beside];
}

/** Whether loading opens a model of these parts. */
function isOpened(model: Fields): boolean {
  const others = Object.entries(model).filter(([part, value]) => {
    const isPlain = part === 'decoder' || part === 'encoder' || UNUSED.includes(part) || !isPart(value);
    return !isPlain && (part !== 'speech' || 'filename' in fieldsOf(value));
  });
  const { pipeline, inputs } = fieldsOf(model.decoder);
  const isWhole = !Array.isArray(pipeline) || pipeline.length === 0;
  return others.length === 0 && isWhole && !RECURRENT.some((input) => input in fieldsOf(inputs));
}

function isPart(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The name of a part's graph, which the repository must have. Throws `INVALID_MODEL_FOLDER`. */
function graphOf(part: string, filename: string, repository: string, files: readonly HubFile[]): string {
  if (files.some(({ path }) => path === filename)) return filename;
  const required = 'a file of the repository';
  throw new ForetokenError(
    'INVALID_MODEL_FOLDER',
    `${GENAI} of ${repository} on the hub names ${show(filename)} as its graph, but ${required} is required. Choose another revision, or tell its publisher.`,
    { repository, file: GENAI, field: `model.${part}.filename`, received: filename, required },
  );
}
