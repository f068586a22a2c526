import type { CountedInputs } from '../../onnx/followed-positions.js';
import type { DecoderRoles, EncoderRoles } from './export-roles.js';

/** Axis 1 of two, and axis 2 of four, from either end. */
const OF_TOKENS = [1, -1];
const OF_CACHES = [2, -2];

/** What tells a decoder how many positions an output has. */
export function outputCounts({ tokenIds, mask, positions, cachePositions, caches }: DecoderRoles): CountedInputs {
  const masks = [mask ?? []].flat();
  const self = caches.filter(({ cross }) => !cross);
  const axes = new Map([
    ...[tokenIds, ...masks].map((name) => [name, OF_TOKENS] as const),
    ...self.map(({ input }) => [input, OF_CACHES] as const),
  ]);
  return { positions: [positions ?? [], cachePositions ?? []].flat(), axes, masks };
}

/** What tells an encoder how many positions a source has; undefined where it reads none that are counted in tokens. */
export function sourceCounts({ reads, input, mask }: EncoderRoles): CountedInputs | undefined {
  if (reads !== 'tokens') return undefined;
  const masks = [mask ?? []].flat();
  return { positions: [], axes: new Map([input, ...masks].map((name) => [name, OF_TOKENS])), masks };
}
