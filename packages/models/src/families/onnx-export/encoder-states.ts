import { type CacheValues, cacheValuesOf, type Feeds, type PathBlock } from '@foretoken/core/runtime';
import { float16BitsToFloat32 } from '../../weights/float16.js';
import { float32ToFloat16Bits } from '../../weights/to-float16.js';
import type { ExportGraph } from './export-manifest.js';
import type { DecoderRoles, EncoderRoles } from './export-roles.js';
import { pathBlockOf } from './path-block-of.js';

/** What of an encoder's outputs a decoder takes. */
export interface TakenStates {
  /** Element type in which it takes states; undefined where it takes none. */
  readonly type: string | undefined;
  /** Outputs that are keys and values of its layers, in their order. */
  readonly caches: readonly string[];
  /** Element type in which it takes them. */
  readonly cacheType: string | undefined;
}

/** What an encoder gave, as its decoder takes it. */
export interface GivenStates {
  /** Positions of each source. */
  readonly length: number;
  /** `[sources, length, width]`; nothing where the decoder takes no states. */
  readonly values: CacheValues;
  /** Keys and values, where the decoder takes any. */
  readonly caches: PathBlock | undefined;
}

/** What decoders take of an encoder, each with its graph; the one that begins comes first. */
export function takenStates(decoders: readonly (readonly [roles: DecoderRoles, graph: ExportGraph])[]): TakenStates {
  const typesOf = (name: (roles: DecoderRoles) => string | undefined): readonly string[] =>
    decoders.flatMap(([roles, { inputs }]) => {
      const input = name(roles);
      return input === undefined ? [] : [inputs[input].type];
    });
  const encoded = (roles: DecoderRoles) => roles.caches.filter((role) => role.encoded !== undefined);
  const caches = decoders.map(([roles]) => encoded(roles)).find(({ length }) => length > 0) ?? [];
  return {
    type: typesOf(({ states }) => states)[0],
    caches: caches.flatMap((role) => role.encoded ?? []),
    cacheType: typesOf((roles) => encoded(roles)[0]?.input)[0],
  };
}

/** The outputs of an encoder that are of use. */
export function usedOutputs({ states }: EncoderRoles, { type, caches }: TakenStates): string[] {
  return type === undefined && caches.length > 0 ? [...caches] : [states, ...caches];
}

/** What an encoder gave of so many sources. */
export function givenStates(
  outputs: Feeds,
  { states }: EncoderRoles,
  taken: TakenStates,
  sources: number,
): GivenStates {
  const given = Object.hasOwn(outputs, states) ? outputs[states] : undefined;
  const block = taken.caches.length === 0 ? undefined : pathBlockOf(taken.caches, outputs, sources);
  const caches = block && {
    ...block,
    parts: block.parts.map((part) => ({ ...part, values: inType(part.values, taken.cacheType) })),
  };
  const values = given === undefined ? new Float32Array() : inType(cacheValuesOf(given), taken.type);
  return { length: given?.dims[1] ?? caches?.length ?? 0, values, caches };
}

/** Values in the element type that a decoder takes: graphs of two precisions may have one each. */
function inType(values: CacheValues, type: string | undefined): CacheValues {
  if (type === 'float16' && values instanceof Float32Array) return float32ToFloat16Bits(values);
  if (type === 'float32' && values instanceof Uint16Array) return float16BitsToFloat32(values);
  return values;
}
