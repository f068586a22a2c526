import { ForetokenError } from '@foretoken/core';
import { hubFolder, isHubLocation } from '@foretoken/models/internal';

/** How weights are located. */
export interface WeightsLocation {
  readonly signal?: AbortSignal | undefined;
  /** Of GGUF files on the hub: which of them. */
  readonly quantisation?: string | undefined;
}

/** The path of weights; those on the hub are downloaded. Throws `INVALID_ARGUMENT` and what a download throws. */
export async function locateWeights(location: string, options: WeightsLocation): Promise<string> {
  if (isHubLocation(location)) return hubFolder(location, options);
  const { quantisation } = options;
  if (quantisation === undefined) return location;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `quantisation chooses among GGUF files on the hub, but ${location} is a path. Name the file itself, and leave out quantisation.`,
    { option: 'quantisation', received: quantisation, location },
  );
}
