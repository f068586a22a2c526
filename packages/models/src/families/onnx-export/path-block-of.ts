import { cacheValuesOf, type Feeds, type PathBlock, type PathPart } from '@foretoken/core/runtime';

/** Outputs of these names, `[lanes, heads, length, size]` each, as they are. */
export function pathBlockOf(names: readonly string[], outputs: Feeds, lanes: number): PathBlock {
  let length = 0;
  const parts = names.map((name): PathPart => {
    const tensor = outputs[name];
    const [, heads, time, size] = tensor.dims;
    length = time;
    return { heads, size, values: cacheValuesOf(tensor) };
  });
  return { lanes, length, parts };
}
