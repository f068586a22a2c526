import type { Activation } from '../blocks/activation.js';
import { type ConfigFolder, unsupportedConfig } from '../readers/hugging-face/config-fields.js';

/** What transformers calls activations. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_fast: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
  quick_gelu: 'gelu-sigmoid',
};

/** An activation by its name in `field` of the config. Throws `UNSUPPORTED_MODEL`. */
export function activationOf(folder: ConfigFolder, field: string, name: unknown): Activation {
  if (typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name)) return ACTIVATIONS[name];
  return unsupportedConfig(folder, field, `one of ${Object.keys(ACTIVATIONS).join(', ')}`);
}
