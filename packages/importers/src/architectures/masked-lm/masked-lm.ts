import { ForetokenError } from '@foretoken/core';
import { type ManifestContent, type MaskedLanguageModelManifest, readPadding } from '@foretoken/models/internal';
import { GraphFiles } from '../../graphs/graph-files.js';
import { STUDENTS } from '../../import-options.js';
import { configInteger } from '../../readers/hugging-face/config-fields.js';
import { textFiles } from '../../readers/text-files.js';
import { readCanvasConfig } from '../../students/canvas-config.js';
import { emitFills, maxCandidates } from '../../students/emit-students.js';
import { openCanvas } from '../../students/open-students.js';
import { heading } from '../../target-options.js';
import { type Architecture, refuseQuantised } from '../architecture.js';

/** Masked language models: networks on canvases that read no source. They have no students. */
export const maskedLanguageModel: Architecture = {
  name: 'masked-lm',
  kinds: ['foretoken-canvas'],
  recognises: ({ config }) => config.cross_attention === false,
  build: async (folder, options, pace) => {
    const { weights } = options;
    refuseQuantised(folder.path, 'a masked language model', options);
    const student = STUDENTS.find((name) => options[name] !== undefined);
    if (student !== undefined) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `${folder.path} is a masked language model, whose encoder a ${student} student could read is missing. Leave out ${student}.`,
        { option: student, received: options[student] },
      );
    }
    if (options.stepLayout !== undefined) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `${folder.path} is a masked language model, which has no steps of an autoregressive model. Leave out stepLayout.`,
        { option: 'stepLayout', received: options.stepLayout },
      );
    }
    const size = configInteger(folder, 'vocab_size', 3, 1_000_000);
    const named = folder.tokenizer.namedTokens(size);
    const config = readCanvasConfig(folder, false);
    const { vocabularySize, maxPositions, width, heads, layers } = config.shape;
    // A model of characters, say, has none: its outputs are as long as the canvas.
    const ends = folder.config.eos_token_id !== undefined && folder.config.eos_token_id !== null;
    const endTokenId = ends ? configInteger(folder, 'eos_token_id', 0, vocabularySize - 1) : undefined;
    const network = await openCanvas({ folder, config }, 'canvas', pace);
    const graphs = new GraphFiles(weights, pace);
    const fill = await emitFills(network, graphs.emit);
    const files = graphs.files();
    for (const [name, content] of folder.tokenizer.files) files.set(name, content);
    const manifest: ManifestContent<MaskedLanguageModelManifest> = {
      ...heading(options),
      family: 'masked-lm',
      tokenizer: textFiles(folder),
      vocabulary: {
        size: vocabularySize,
        endTokenId,
        padTokenId: readPadding(folder, size, named),
        unknownTokenId: named.unknown,
      },
      limits: { sourceLength: maxPositions, targetLength: maxPositions },
      architecture: { width, heads, layers },
      graphs: { fill },
      canvas: { maskTokenId: network.maskTokenId, maxCandidates: maxCandidates(network.headTokenIds) },
      training: { ...options.training, weights },
    };
    return { manifest, files };
  },
};
