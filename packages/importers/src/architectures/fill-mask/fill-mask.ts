import { ForetokenError } from '@foretoken/core';
import {
  type FillMaskManifest,
  type ManifestContent,
  quote,
  readPadding,
  unsupportedModel,
} from '@foretoken/models/internal';
import { GraphFiles } from '../../graphs/graph-files.js';
import { STUDENTS } from '../../import-options.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { heading } from '../../target-options.js';
import { type TensorOf, tensorReader } from '../../tensors/tensor-reader.js';
import { type Architecture, type NamedOptions, refuseQuantised } from '../architecture.js';
import { firstTensor } from '../first-tensor.js';
import { emitFillMask } from './fill-mask-graph.js';
import { FILL_MASK_KINDS, type FillMaskShape, readFillMaskShape } from './fill-mask-shape.js';
import { readMaskToken } from './mask-token.js';

const FILL = 'fill.onnx';
/** Most candidates that a mask has. */
const MAX_CANDIDATES = 64;

/** BERT and what is built like it: RoBERTa and its descendants, DistilBERT. They fill the masks of a text. */
export const fillMask: Architecture = {
  name: 'fill-mask',
  kinds: FILL_MASK_KINDS,
  build: async (folder, options, pace) => {
    const { weights } = options;
    refuseQuantised(folder.path, 'a masked language model', options);
    refuseOptions(folder, options);
    const shape = readFillMaskShape(folder);
    assertHead(folder, shape);
    const { vocabularySize: size, positions, width, heads, layers, unplacedTokenId } = shape;
    const { names, files: tokenizerFiles } = folder.tokenizer;
    if (typeof names !== 'string') {
      throw unsupportedModel(
        `${folder.path} has no tokenizer.json, which masked language models need. Write it with AutoTokenizer.from_pretrained(folder).save_pretrained(folder) of transformers.`,
        { folder: folder.path, file: 'tokenizer.json', required: 'tokenizer.json' },
      );
    }
    const named = folder.tokenizer.namedTokens(size);
    const { mask, maskTokenId } = await readMaskToken(folder, named.added ?? new Map<string, number>());
    const graphs = new GraphFiles(weights, pace);
    const network = { shape, tensorOf: renamed(folder), bias: firstTensor(folder, shape.naming.bias) };
    await graphs.emit(FILL, 'fill-mask', (graph) => emitFillMask(graph, network));
    const files = graphs.files();
    for (const [name, content] of tokenizerFiles) files.set(name, content);
    const manifest: ManifestContent<FillMaskManifest> = {
      ...heading(options),
      family: 'fill-mask',
      tokenizer: names,
      vocabulary: {
        size,
        padTokenId: readPadding(folder, size, named),
        unknownTokenId: named.unknown,
      },
      limits: { sourceLength: positions, targetLength: positions },
      architecture: { width, heads, layers, unplacedTokenId },
      graphs: { fill: FILL },
      canvas: { maskTokenId, mask, maxCandidates: Math.min(MAX_CANDIDATES, size) },
      training: { ...options.training, weights },
    };
    return { manifest, files };
  },
};

/** What the first checkpoints call the vectors of norms, as TensorFlow did. */
const OLD_NAMES: Readonly<Record<string, string>> = { weight: 'gamma', bias: 'beta' };

/** The weights by the names of today. */
function renamed(folder: WeightsFolder): TensorOf {
  const tensorOf = tensorReader(folder);
  return (name, dims) => {
    const old = name.replace(/(?<=\.LayerNorm\.)(?:weight|bias)$/, (part) => OLD_NAMES[part]);
    return tensorOf(firstTensor(folder, [name, old]), dims);
  };
}

/** Throws `UNSUPPORTED_MODEL` for weights of the layers alone, or of another task. */
function assertHead({ path, tensors, config }: WeightsFolder, { naming }: FillMaskShape): void {
  const { dense } = naming.head;
  if (tensors.has(`${dense}.weight`)) return;
  throw unsupportedModel(
    `${path} has no tensor ${quote(`${dense}.weight`)}: weights without the head that scores masks, of ${quote(config.architectures)}. Import a checkpoint of masked language modelling, whose architectures end in ForMaskedLM.`,
    { folder: path, field: `${dense}.weight`, received: config.architectures, required: 'a head that scores masks' },
  );
}

/** Options that say something of other models only. */
function refuseOptions({ path }: WeightsFolder, options: NamedOptions): void {
  for (const option of [...STUDENTS, 'stepLayout'] as const) {
    const received = options[option];
    if (received === undefined) continue;
    const why =
      option === 'stepLayout'
        ? 'which has no steps of an autoregressive model'
        : `whose encoder no ${option} student was trained on`;
    throw new ForetokenError('INVALID_ARGUMENT', `${path} is a masked language model, ${why}. Leave out ${option}.`, {
      option,
      received,
    });
  }
}
