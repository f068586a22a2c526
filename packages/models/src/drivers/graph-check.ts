import type { ExpectedValues, GraphValue } from '../onnx/graph-description.js';

/** An expected input or output; a null dimension may be anything. */
export const value = (type: string, ...dims: (number | null)[]): GraphValue => ({ type, dims });

/** Token ids, positions or a mask: int32 `[batch, time]`. */
export const ids: GraphValue = value('int32', null, null);

/** Checks one graph of a folder against what its family requires. */
export type CheckGraph = (file: string, inputs: ExpectedValues, outputs: ExpectedValues) => Promise<void>;

const MASKS: ExpectedValues = { source_mask: ids, positions: ids, mask: ids };

/** Inputs of a student that turns each source state into several frames. */
export function frameInputs(width: number): ExpectedValues {
  return { states: value('float32', null, null, width), ...MASKS };
}

/** Inputs of such a student with an encoder in the same graph. */
export const TOKEN_FRAME_INPUTS: ExpectedValues = { token_ids: ids, source_positions: ids, ...MASKS };
