import type { BodyGraphFiles } from '../folder/manifest.js';
import type { ExpectedValues } from '../onnx/graph-description.js';
import { type CheckGraph, ids, value } from './graph-check.js';

/** Sizes that the graphs of an encoder and a decoder declare. */
export interface DeclaredShape {
  /** Size of a state. */
  readonly width: number;
  /** Numbers that a decoder layer's keys take for a token, and its values. */
  readonly kept: number;
  /** Of the decoder. */
  readonly layers: number;
  readonly byDistance?: boolean | undefined;
  /** Numbers of the state that a token keeps in place of keys and values, where layers are recurrent. */
  readonly stateWidth?: number | undefined;
}

/** What an encoder gives. */
export const encoderOutputs = ({ width, kept, layers }: DeclaredShape): ExpectedValues => ({
  states: value('float32', null, null, width),
  cross: value('float32', 2 * layers, null, null, kept),
});

/** What a step takes, but for the tokens. */
export function stepInputs({ kept, layers, byDistance, stateWidth }: DeclaredShape): ExpectedValues {
  const names = stateWidth === undefined ? ['past', 'cross'] : ['cross'];
  const parts = Array.from({ length: 2 * layers }, (_, index) => index).flatMap((index) =>
    names.map((name) => [`${name}_${index}`, value('float32', null, null, kept)] as const),
  );
  const seen: ExpectedValues =
    stateWidth === undefined
      ? { attention_bias: value('float32', null, 1, null, null) }
      : { before: value('float32', null, stateWidth) };
  return {
    key_positions: byDistance ? ids : undefined,
    positions: ids,
    scored: value('int32', null),
    ...seen,
    cross_bias: value('float32', null, 1, null, null),
    ...Object.fromEntries(parts),
  };
}

/** The new keys and values that a step gives, or the new states. */
export const newParts = ({ kept, layers, stateWidth }: DeclaredShape): ExpectedValues => ({
  new: value('float32', null, null, stateWidth ?? 2 * layers * kept),
});

/** Checks a step that is divided into a body and a vocabulary, `shortlisted` one that can score listed tokens alone. Throws `INVALID_MODEL_FOLDER`. */
export async function checkBodyGraphs(
  { body, vocabulary }: BodyGraphFiles,
  shape: DeclaredShape,
  check: CheckGraph,
  shortlisted = false,
): Promise<void> {
  const { width } = shape;
  const embedded = value('float32', null, null, width);
  await check(body, { embedded, ...stepInputs(shape) }, { ...newParts(shape), states: value('float32', null, width) });
  await check(
    vocabulary,
    // See `VocabularyGraph`.
    {
      mode: value('int32', 1),
      token_ids: value('int32', null),
      states: value('float32', null, width),
      k: value('int64', 1),
      listed: shortlisted ? value('int32', null) : undefined,
      table: shortlisted ? value('float32', null, width) : undefined,
      possible: shortlisted ? value('float32', null, null) : undefined,
      possible_of: shortlisted ? value('int32', null) : undefined,
    },
    { scores: value('float32', null, null), best_token_ids: value('int32', null, null) },
  );
}
