import type { SpecVariables } from './spec-variables.js';

/** A number that all layers have in common, or what it is where they leave it out. */
export type SharedSetting = (name: string, otherwise: number) => Promise<number>;

/** Reads settings of layers. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL` where one layer has another than the first. */
export function sharedSettings({ scalar, unsupported }: SpecVariables, layers: number): SharedSetting {
  return async (name, otherwise) => {
    const first = await scalar(`decoder/layer_0/${name}`, otherwise);
    for (let layer = 1; layer < layers; layer++) {
      const own = await scalar(`decoder/layer_${layer}/${name}`, otherwise);
      if (own !== first) unsupported(`decoder/layer_${layer}/${name}`, own, `that of the first layer, ${first}`);
    }
    return first;
  };
}

/** Layers, of which there is one at least. Throws `INVALID_MODEL_FOLDER`. */
export function layerCount({ layersOf, find }: SpecVariables): number {
  const layers = layersOf('decoder');
  if (layers === 0) find('decoder/layer_0/ffn/linear_0/weight', 2);
  return layers;
}

/** Heads of attention, their width, and how many of them have keys and values of their own. */
export interface DecoderHeads {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
}

/** Throws `INVALID_MODEL_FOLDER` for heads that do not fit the width, `UNSUPPORTED_MODEL` for products that are scaled otherwise. */
export async function decoderHeads(
  { scalar, refuse, unsupported }: SpecVariables,
  shared: SharedSetting,
  width: number,
): Promise<DecoderHeads> {
  const heads = await scalar('decoder/num_heads');
  if (!(heads >= 1)) refuse('decoder/num_heads', heads, 'a number from 1 on');
  const headWidth = await shared('self_attention/head_dim', width / heads);
  if (!Number.isInteger(headWidth) || headWidth < 1) refuse('decoder/num_heads', heads, `a divisor of ${width}`);
  const scale = headWidth ** -0.5;
  const given = await shared('self_attention/queries_scale', scale);
  if (!(Math.abs(given - scale) <= 1e-6 * scale)) {
    unsupported(
      'decoder/layer_0/self_attention/queries_scale',
      given,
      `1 divided by the root of ${headWidth}, ${scale},`,
    );
  }
  return { heads, keyValueHeads: await shared('self_attention/num_heads_kv', heads), headWidth };
}
