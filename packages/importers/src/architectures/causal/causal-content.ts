import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import {
  type CausalLanguageModelManifest,
  type ImportNote,
  type ManifestContent,
  readCausalGeneration,
  unsupportedModel,
} from '@foretoken/models/internal';
import type { ProductPrecision } from '../../blocks/block-context.js';
import { GraphFiles } from '../../graphs/graph-files.js';
import { STUDENTS } from '../../import-options.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { heading } from '../../target-options.js';
import { productsOf } from '../../tensors/weight-precision.js';
import type { ModelContent } from '../../write-model.js';
import type { NamedOptions } from '../architecture.js';
import { type CausalNetwork, emitCausalStep } from './causal-step.js';

const STEP = 'step.onnx';
const CHAT = 'chat_template.jinja';
/** Most candidates that the top-k head returns for each node. */
const STEP_CANDIDATES = 64;

/** Sizes of a decoder-only model. */
export interface CausalShape {
  readonly vocabularySize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
  readonly feedForward: number;
  /** Most positions at which the model computes here what the original computes. */
  readonly positions: number;
  /** What the model here does not do as the config says. */
  readonly notes?: readonly ImportNote[] | undefined;
  readonly epsilon: number;
}

/** What an architecture says of its decoder-only model. */
export interface CausalModel {
  readonly shape: CausalShape;
  /** The network, which never outputs the tokens that are `suppressed`. */
  readonly network: (suppressed: readonly number[], precision: ProductPrecision) => CausalNetwork;
}

/** Manifest and files of a decoder-only model. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`. */
export async function causalContent(
  folder: WeightsFolder,
  options: NamedOptions,
  pace: Yielder,
  { shape, network }: CausalModel,
): Promise<ModelContent> {
  const { weights } = options;
  refuseOptions(folder, options);
  const { vocabularySize, width, layers, heads, keyValueHeads, headWidth, positions } = shape;
  const { names } = folder.tokenizer;
  if (typeof names !== 'string') {
    throw unsupportedModel(`${folder.path} has no tokenizer.json, which decoder-only models need.`, {
      folder: folder.path,
      file: 'tokenizer.json',
      required: 'tokenizer.json',
    });
  }
  const named = folder.tokenizer.namedTokens(vocabularySize);
  const generation = readCausalGeneration(folder, vocabularySize, named);
  const notes = [...(folder.notes ?? []), ...(shape.notes ?? []), ...generation.notes];
  const [endTokenId, ...stopTokenIds] = generation.ends;
  const graphs = new GraphFiles(weights, pace);
  const emitted = network(generation.suppressed, productsOf(weights));
  await graphs.emit(STEP, 'causal-step', (graph) => emitCausalStep(graph, emitted));
  const files = graphs.files();
  for (const [name, content] of folder.tokenizer.files) files.set(name, content);
  const chat = await folder.readChat();
  if (chat !== undefined) files.set(CHAT, chat.template);
  for (const note of notes) options.onNote?.(note);
  const manifest: ManifestContent<CausalLanguageModelManifest> = {
    ...heading(options),
    family: 'causal-lm',
    tokenizer: names,
    vocabulary: {
      size: vocabularySize,
      endTokenId,
      padTokenId: generation.pad,
      unknownTokenId: named.unknown,
    },
    limits: { sourceLength: positions, targetLength: positions },
    architecture: { width, heads, keyValueHeads, headWidth, layers },
    graphs: { step: STEP },
    step: { maxCandidates: Math.min(STEP_CANDIDATES, vocabularySize) },
    stopTokenIds: stopTokenIds.length === 0 ? undefined : stopTokenIds,
    chat: chat && { template: CHAT, tokens: chat.tokens },
    training: { ...options.training, weights, ...notUsed(notes) },
  };
  return { manifest, files };
}

function notUsed(notes: readonly ImportNote[]): { readonly notUsed?: Readonly<Record<string, unknown>> | undefined } {
  if (notes.length === 0) return {};
  return { notUsed: Object.fromEntries(notes.map(({ field, received }) => [field, received])) };
}

/** Options that say something of other models only. */
function refuseOptions({ path }: WeightsFolder, options: NamedOptions): void {
  for (const option of [...STUDENTS, 'stepLayout'] as const) {
    const received = options[option];
    if (received === undefined) continue;
    const why =
      option === 'stepLayout'
        ? 'whose step is always one graph that all outputs share'
        : `which has no encoder that a ${option} student could read`;
    throw new ForetokenError('INVALID_ARGUMENT', `${path} is a decoder-only model, ${why}. Leave out ${option}.`, {
      option,
      received,
    });
  }
}
