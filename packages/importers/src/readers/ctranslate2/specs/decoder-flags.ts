import type { ModelBin } from '../open-model-bin.js';
import type { SpecVariables } from './spec-variables.js';
import { ACTIVATIONS, isScaled } from './transformer-config.js';

/** What a decoder computes in one way here, and the value that says so. */
const FIXED: readonly (readonly [name: string, value: number])[] = [
  ['pre_norm', 1],
  ['alibi', 0],
  ['start_from_zero_embedding', 0],
  ['scale_outputs', 1],
  ['final_logit_softcapping', 0],
];

/** Refuses what no decoder here computes. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function assertComputed(file: ModelBin, variables: SpecVariables, width: number): Promise<void> {
  const { scalar, notComputed } = variables;
  for (const [name, wanted] of FIXED) {
    const value = await scalar(`decoder/${name}`, wanted);
    if (value !== wanted) notComputed(`decoder/${name}`, value, String(wanted));
  }
  if (await isScaled(file, variables, 'decoder/scale_embeddings', width)) {
    notComputed('decoder/scale_embeddings', true, 'false');
  }
}

/** The activation of feed-forward blocks, as transformers calls it. Throws `UNSUPPORTED_MODEL`. */
export async function activationName({ scalar, unsupported }: SpecVariables): Promise<string> {
  const activation = await scalar('decoder/activation', 0);
  return (
    ACTIVATIONS[activation] ??
    unsupported('decoder/activation', activation, `a number from 0 to ${ACTIVATIONS.length - 1}`)
  );
}
