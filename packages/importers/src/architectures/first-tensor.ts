import type { WeightsFolder } from '../readers/hugging-face/weights-folder.js';

/** The first of several names that a folder has a tensor of: what is shared is stored under one of its names. The first one where it has none. */
export function firstTensor({ tensors }: WeightsFolder, names: readonly string[]): string {
  return names.find((name) => tensors.has(name)) ?? names[0];
}
