import { ForetokenError } from '@foretoken/core';
import { hubFolder, isHubLocation, locateModel } from '@foretoken/models/internal';

/** How weights are located. */
export interface WeightsLocation {
  readonly signal?: AbortSignal | undefined;
  /** Of GGUF files on the hub: which of them. */
  readonly quantisation?: string | undefined;
}

/**
 * The path of weights: where there is none of that name, the folder of an installed package; those on the hub are downloaded. Throws
 * `INVALID_ARGUMENT`, `INVALID_MODEL_FOLDER` for a package with a scope that is not installed, and what a download throws.
 */
export async function locateWeights(location: string, options: WeightsLocation): Promise<string> {
  if (isHubLocation(location)) return hubFolder(location, options);
  const { quantisation } = options;
  if (quantisation === undefined) return locateModel(location);
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `quantisation chooses among GGUF files on the hub, but ${location} is not on it. Name the file itself, and leave out quantisation.`,
    { option: 'quantisation', received: quantisation, location },
  );
}
