import { type CacheValues, cacheValuesOf, type Tensor } from '@foretoken/core/runtime';
import { float16BitsToFloat32 } from '../../weights/float16.js';
import { float32ToFloat16Bits } from '../../weights/to-float16.js';

/** States that an encoder gave, in the element type that its decoder takes: graphs of two precisions may have one each. */
export function encoderStates(states: Tensor, type: string | undefined): CacheValues {
  const values = cacheValuesOf(states);
  if (type === 'float16' && values instanceof Float32Array) return float32ToFloat16Bits(values);
  if (type === 'float32' && values instanceof Uint16Array) return float16BitsToFloat32(values);
  return values;
}
