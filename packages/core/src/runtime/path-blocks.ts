import { assertInteger, wrongValue } from '../kit/checks.js';
import { isCount } from '../kit/model-kinds.js';
import { isTypedArray } from '../kit/typed-arrays.js';
import { type CacheValues, cacheTypeOf, cacheZeros } from './cache-values.js';
import { MAX_FORWARD_WIDTH, MAX_ROWS } from './store-checks.js';

/** Keys or values of a layer for paths of one length, `[lanes, heads, length, size]`. */
export interface PathPart {
  /** Attention heads. */
  readonly heads: number;
  /** Numbers of a head. */
  readonly size: number;
  /** The numbers; fp32, or fp16 as 16 bits. */
  readonly values: CacheValues;
}

/** Keys and values of whole paths, side by side; never changed once a graph gave them. */
export interface PathBlock {
  /** Paths side by side. */
  readonly lanes: number;
  /** Tokens of each path. */
  readonly length: number;
  /** Keys and values of each layer. */
  readonly parts: readonly PathPart[];
}

/** Where the keys and values of a path lie: its first tokens are those of a lane of a block, which may hold more behind them. */
export interface PathPlace {
  /** The block that holds the path. */
  readonly block: PathBlock;
  /** Its lane in the block. */
  readonly lane: number;
}

/** Whether these are keys and values of paths, as many as it says. */
export function isPathBlock(block: PathBlock): boolean {
  try {
    const { lanes, length, parts } = block;
    if (!isCount(lanes) || !isCount(length) || !Array.isArray(parts) || parts.length > MAX_ROWS) return false;
    return (parts as readonly PathPart[]).every(
      ({ heads, size, values }) =>
        (isTypedArray('Float32Array', values) || isTypedArray('Uint16Array', values)) &&
        isCount(heads) &&
        isCount(size) &&
        values.length === lanes * heads * length * size,
    );
  } catch {
    return false;
  }
}

/** Whether these are lanes of blocks that are made alike. */
function arePlaces(places: readonly PathPlace[]): boolean {
  try {
    if (!Array.isArray(places) || places.length === 0 || places.length > MAX_ROWS) return false;
    const seen = new Set<PathBlock>();
    const { parts } = places[0].block as PathBlock;
    for (const { block, lane } of places as readonly PathPlace[]) {
      if (!seen.has(block)) {
        const alike = isPathBlock(block) && block.parts.length === parts.length;
        if (!alike || !block.parts.every((part, index) => isAlike(part, parts[index]))) return false;
        seen.add(block);
      }
      if (!Number.isInteger(lane) || lane < 0 || lane >= block.lanes) return false;
    }
    return true;
  } catch {
    return false;
  }
}

const isAlike = (one: PathPart, other: PathPart): boolean =>
  one.heads === other.heads && one.size === other.size && cacheTypeOf(one.values) === cacheTypeOf(other.values);

/**
 * The first `length` tokens of these paths, as a block of their own; zeros behind the end of shorter ones. Throws
 * `INVALID_ARGUMENT` for places that are none.
 */
export function gatherPaths(places: readonly PathPlace[], length: number): PathBlock {
  if (!arePlaces(places)) {
    throw wrongValue('places', places, 'an array of places of paths, { block, lane }, whose blocks have parts alike');
  }
  assertInteger('length', length, 1, MAX_FORWARD_WIDTH);
  const parts = places[0].block.parts.map(({ heads, size, values: kept }, part): PathPart => {
    const values = cacheZeros(cacheTypeOf(kept), places.length * heads * length * size);
    let to = 0;
    for (const { block, lane } of places) {
      const from = block.parts[part].values;
      for (let head = lane * heads; head < (lane + 1) * heads; head++, to += length * size) {
        const begin = head * block.length * size;
        values.set(from.subarray(begin, begin + Math.min(length, block.length) * size), to);
      }
    }
    return { heads, size, values };
  });
  return { lanes: places.length, length, parts };
}
