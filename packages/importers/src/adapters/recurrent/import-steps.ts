import { basename } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { checkOptions } from '@foretoken/core/kit';
import {
  assertTarget,
  type EncoderInput,
  type FileLocation,
  filePath,
  type ManifestContent,
  type ModelManifest,
  onnxruntimeNode,
  quote,
  type RecurrentManifest,
  unsupportedModel,
} from '@foretoken/models/internal';
import { heading } from '../../target-options.js';
import { writeModel } from '../../write-model.js';
import { EXPOSED, exposeScores } from '../expose-scores.js';
import { type ExportedGraph, filesWithGraphs, readExport } from '../read-export.js';
import { type RecurrentStepOptions, STEP_OPTIONS } from './step-options.js';
import { chooseMask, probeValues } from './step-probe.js';
import { readEncoderInputs, readOutputs, readStepInputs } from './step-signature.js';

const STEP = 'step.onnx';
const ENCODER = 'encoder.onnx';
const SYMBOLS = 'symbols.json';
const DEFAULT_LENGTH = 512;
const MAX_CANDIDATES = 256;

/**
 * Makes a model folder at `target` of a recurrent step in a file, and of its encoder, as others export them: the step takes a token and
 * states and gives scores and the states after it. The graphs stay as they are; what inputs and outputs are for is read from their
 * names and shapes, and what masks and scores say is found by running them.
 *
 * Throws `INVALID_ARGUMENT`, `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `RUNTIME_FAILURE`, and the signal's reason.
 */
export async function importRecurrentSteps(
  step: FileLocation,
  target: FileLocation,
  options: RecurrentStepOptions,
): Promise<ModelManifest> {
  const told = checkOptions('importRecurrentSteps', options, STEP_OPTIONS, ['symbols', 'startTokenId']);
  const { signal, replace = false, symbols } = told;
  signal?.throwIfAborted();
  const path = filePath('step', step);
  await assertTarget(target, replace);
  const size = symbols.target.length;
  const encoder = told.encoder === undefined ? undefined : await readExport(told.encoder, signal);
  const graph = await withScores(path, told, size);
  const files = filesWithGraphs(
    [[STEP, graph] as const, ...(encoder === undefined ? [] : [[ENCODER, encoder] as const])],
    new Map([[SYMBOLS, JSON.stringify(symbols)]]),
  );
  const scores = scoresOf(graph, told, size);
  const inputs = readStepInputs(graph, encoder, scores, told.inputs);
  const runtime = await onnxruntimeNode();
  const given = encoder && readEncoderInputs(encoder);
  const known = (role: EncoderInput['role']): readonly EncoderInput[] =>
    (given ?? []).map((input) => ({ tensor: input.tensor, role: input.role ?? role }));
  const manifest = (
    role: EncoderInput['role'],
    values: RecurrentManifest['step']['values'],
  ): ManifestContent<RecurrentManifest> => ({
    ...heading({ ...told, name: told.name ?? basename(path).replace(/\.onnx$/i, '') }),
    family: 'recurrent',
    tokenizer: { symbols: SYMBOLS },
    vocabulary: { size, startTokenId: told.startTokenId, endTokenId: told.endTokenId, padTokenId: told.padTokenId },
    limits: {
      sourceLength: told.maxSourceLength ?? told.paddedLength ?? DEFAULT_LENGTH,
      targetLength: told.maxLength ?? DEFAULT_LENGTH,
    },
    architecture: {
      description: `a recurrent step as it was exported${encoder === undefined ? '' : ', with its encoder'}`,
    },
    graphs: { encoder: encoder && ENCODER, step: STEP },
    encoder: encoder && {
      inputs: known(role),
      outputs: readOutputs(encoder),
      vocabularySize: (symbols.source ?? symbols.target).length,
      padTokenId: told.sourcePadTokenId ?? 0,
      paddedLength: told.paddedLength,
    },
    step: {
      inputs,
      outputs: readOutputs(graph),
      scores,
      values,
      maxCandidates: Math.min(MAX_CANDIDATES, size),
    },
  });
  const role = encoder && given ? await chooseMask(manifest, encoder, given, told, runtime) : 'mask';
  const values = await probeValues(manifest(role, 'logits'), graph, encoder, told, runtime);
  return writeModel(target, { manifest: manifest(role, values), files }, told);
}

/** The step's graph, with scores as an output where they are told to be inside. */
async function withScores(
  path: string,
  { exposeScores: value, signal }: RecurrentStepOptions,
  size: number,
): Promise<ExportedGraph> {
  const graph = await readExport(path, signal);
  if (value === undefined) return graph;
  const bytes = exposeScores(graph.bytes, value, size);
  const outputs = new Map(graph.description.outputs).set(EXPOSED, { type: 'float32', dims: [null, size] });
  return { ...graph, bytes, description: { ...graph.description, outputs } };
}

function scoresOf(graph: ExportedGraph, told: RecurrentStepOptions, size: number): string {
  const wanted = told.exposeScores === undefined ? told.scores : EXPOSED;
  const all = [...graph.description.outputs];
  const fitting = all.filter(([name, { type, dims }]) =>
    wanted === undefined ? type === 'float32' && dims.at(-1) === size && !/hidden|state/i.test(name) : name === wanted,
  );
  const [[name, value] = []] = fitting;
  const { folder, file } = graph;
  if (name === undefined || value === undefined || fitting.length > 1) {
    throw unsupportedModel(
      `${file} in ${folder} must have one output of float32 scores of ${size} symbols, but has ${all.map(([own]) => quote(own)).join(', ')}. Tell its name as scores; where no output holds scores, tell the value inside as exposeScores.`,
      { folder, file, field: 'outputs', received: all.map(([own]) => own) },
    );
  }
  const classes = value.dims.at(-1);
  if (value.type === 'float32' && (classes === null || classes === size)) return name;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `The symbols are ${size}, but ${name} of ${file} holds ${value.type} scores of ${classes ?? 'no'}. Use the symbols that the model was trained with.`,
    { option: 'symbols', received: size, required: classes },
  );
}
