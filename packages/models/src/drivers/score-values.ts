import type { OutputRequest } from '@foretoken/core';
import type { ExtensionValues, Tensor } from '@foretoken/core/runtime';

/** What a graph that serves all kinds of output gave. */
export interface ScoreTensors {
  /** Scores as the kind has them. */
  readonly scores: Tensor | undefined;
  /** Token ids of the scores, where the kind chooses. */
  readonly tokenIds: Tensor | undefined;
  readonly states: Tensor | undefined;
}

/** The scores of a kind of output; nothing where none were fetched. */
export function scoreValues(tensors: ScoreTensors, output: OutputRequest): ExtensionValues {
  const floats = (tensor: Tensor | undefined): Float32Array => (tensor?.data ?? new Float32Array()) as Float32Array;
  const scores = floats(tensors.scores);
  const tokenIds = (tensors.tokenIds?.data ?? new Int32Array()) as Int32Array;
  const states = output.states ? floats(tensors.states) : undefined;
  switch (output.kind) {
    case 'argmax':
      return { kind: 'argmax', tokenIds, scores, states };
    case 'topK':
      return { kind: 'topK', k: output.k, tokenIds, logProbs: scores, states };
    case 'logProbs':
      return { kind: 'logProbs', logProbs: scores, states };
    case 'logits':
      return { kind: 'logits', logits: scores, states };
  }
}
