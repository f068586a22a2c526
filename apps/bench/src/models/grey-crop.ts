import { inflateSync } from 'node:zlib';
import type { FloatSource } from '@foretoken/models';

/** A crop of 48 rows, `[48, width]` of grey, deflated. */
export interface GreyCrop {
  readonly width: number;
  readonly grey: string;
}

const HEIGHT = 48;
const MIN_WIDTH = 320;

/** As rapidocr prepares a crop: three equal channels from -1 to 1, zeros behind its end. */
export function stripOf({ width, grey }: GreyCrop): FloatSource {
  const pixels = inflateSync(Buffer.from(grey, 'base64'));
  const padded = Math.max(MIN_WIDTH, width);
  const values = new Float32Array(3 * HEIGHT * padded);
  for (let row = 0; row < 3 * HEIGHT; row++) {
    for (let column = 0; column < width; column++) {
      const share = Math.fround(pixels[(row % HEIGHT) * width + column] / 255);
      values[row * padded + column] = Math.fround(Math.fround(share - 0.5) / 0.5);
    }
  }
  return { values, dims: [3, HEIGHT, padded] };
}
