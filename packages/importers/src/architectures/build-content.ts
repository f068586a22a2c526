import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import { invalidFolder, quote } from '@foretoken/models/internal';
import type { WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import type { ModelContent } from '../write-model.js';
import type { NamedOptions } from './architecture.js';
import { architectureOf } from './known-architectures.js';

/**
 * Manifest and files of the model that a weights folder holds. Throws `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, `INVALID_MODEL_FOLDER`, also
 * where the weights have more layers than config.json says.
 */
export async function buildContent(folder: WeightsFolder, options: NamedOptions, pace: Yielder): Promise<ModelContent> {
  const used = new Set<string>();
  const noting: WeightsFolder = {
    ...folder,
    tensor: (name, shape) => {
      used.add(name);
      return folder.tensor(name, shape);
    },
  };
  const architecture = architectureOf(folder);
  const { shortlist } = options;
  if (shortlist !== undefined && architecture.shortlists !== true) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${folder.path} is of the architecture ${architecture.name}, which has no shortlists. Leave out shortlist.`,
      { option: 'shortlist', received: shortlist },
    );
  }
  const content = await architecture.build(noting, options, pace);
  assertAllLayers(folder, used);
  return content;
}

/** A number in a name: of a layer, or of what a layer holds. */
const NUMBER = /(?<=[._])\d+(?=[._])/g;

/** Refuses a tensor that is not used, where that of the first layer is: the network would be another one. */
function assertAllLayers({ path, tensors }: WeightsFolder, used: ReadonlySet<string>): void {
  for (const [name, { file, ownName = name }] of tensors) {
    if (used.has(name)) continue;
    for (const { 0: number, index } of name.matchAll(NUMBER)) {
      const first = `${name.slice(0, index)}0${name.slice(index + number.length)}`;
      if (!used.has(first)) continue;
      throw invalidFolder(
        `${file} in ${path}: tensor ${quote(ownName)} is of a layer that the config does not have, so it would be left out. Correct the number of layers in the config, or fetch config and weights of one model.`,
        { folder: path, file, field: ownName, received: name, required: 'as many layers as the config says' },
      );
    }
  }
}
