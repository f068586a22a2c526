import type { FilePlace, ImportNote } from '@foretoken/models/internal';
import type { SharedSetting } from './decoder-heads.js';
import type { SpecVariables } from './spec-variables.js';

/** Ways to stretch rotary positions, by the numbers of CTranslate2. */
const NONE = -1;
const LINEAR = 0;
const BY_WAVELENGTH = 2;

/** How positions turn queries and keys. */
export interface RotarySettings {
  /** Fields of config.json of transformers. */
  readonly rope: Readonly<Record<string, unknown>>;
  /** Whether real and imaginary parts are neighbours. */
  readonly interleaved: boolean;
  readonly notes: readonly ImportNote[];
}

const SETTING = 'self_attention';

/** Names of what is read here, in a layer. */
export const ROTARY_SETTINGS: readonly string[] = [
  'rotary_dim',
  'rotary_interleave',
  'rotary_base',
  'rotary_scaling_type',
  'rotary_scaling_factor',
  'rotary_low_freq_factor',
  'rotary_high_freq_factor',
  'original_max_position_embeddings',
  'max_position_embeddings',
].map((name) => `${SETTING}/${name}`);

/** Reads how positions turn the heads of all layers, as CTranslate2 reads it. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readRotarySettings(
  { file }: FilePlace,
  { unsupported }: SpecVariables,
  shared: SharedSetting,
  headWidth: number,
): Promise<RotarySettings> {
  const setting = (name: string, otherwise: number): Promise<number> => shared(`${SETTING}/${name}`, otherwise);
  const refuse = (name: string, received: unknown, required: string): never =>
    unsupported(`decoder/layer_0/${SETTING}/${name}`, received, required);
  const turned = await setting('rotary_dim', NONE);
  if (turned !== 0 && turned !== headWidth) refuse('rotary_dim', turned, `0 or the width of heads, ${headWidth},`);
  const type = await setting('rotary_scaling_type', NONE);
  if (![NONE, LINEAR, BY_WAVELENGTH].includes(type)) {
    refuse('rotary_scaling_type', type, `none, ${LINEAR} (linear) or ${BY_WAVELENGTH} (that of Llama 3.1)`);
  }
  const factor = await setting('rotary_scaling_factor', 1);
  const trained = await setting('original_max_position_embeddings', 0);
  const longest = await setting('max_position_embeddings', 0);
  if (type !== BY_WAVELENGTH && trained !== 0 && longest !== 0) {
    refuse('original_max_position_embeddings', trained, 'a model whose attention is not scaled by it');
  }
  const common = {
    rope: { rope_theta: await setting('rotary_base', 10_000) },
    interleaved: (await setting('rotary_interleave', 1)) !== 0,
    notes: [],
  };
  const scaled = (scaling: object, notes: readonly ImportNote[] = []): RotarySettings => ({
    ...common,
    rope: { ...common.rope, rope_scaling: scaling },
    notes,
  });
  if (type === NONE) return common;
  // Without the length that a model was trained with, all waves are longer than it.
  if (type === LINEAR || trained === 0) {
    return scaled({ rope_type: 'linear', factor }, type !== LINEAR && factor === 1 ? [notStretched(file)] : []);
  }
  return scaled({
    rope_type: 'llama3',
    factor,
    low_freq_factor: await setting('rotary_low_freq_factor', 1),
    high_freq_factor: await setting('rotary_high_freq_factor', 4),
    original_max_position_embeddings: trained,
  });
}

function notStretched(file: string): ImportNote {
  return {
    file,
    field: 'rotary_scaling_factor',
    received: null,
    message: `${file} says that positions are stretched as those of Llama 3.1, but not how far, so they are not stretched, neither here nor by CTranslate2. Import the weights that it was converted from to have them stretched.`,
  };
}
