import { quote, unsupportedModel } from '@foretoken/models/internal';
import type { Activation } from '../blocks/activation.js';
import type { ConfigFolder } from '../readers/hugging-face/config-fields.js';

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

/** An activation by its name in `field` of config.json. Throws `UNSUPPORTED_MODEL`. */
export function activationOf({ path, config }: ConfigFolder, field: string, name: unknown): Activation {
  if (typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name)) return ACTIVATIONS[name];
  const required = Object.keys(ACTIVATIONS);
  throw unsupportedModel(
    `${path}: config.json has ${field} = ${quote(config[field])}; supported activations are ${required.join(', ')}.`,
    { folder: path, file: 'config.json', field, received: config[field], required },
  );
}
