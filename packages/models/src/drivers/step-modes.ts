/** What a step whose outputs share one graph can be asked for, by its place in this list: the graph's input `mode`. */
export const STEP_MODES: readonly ['argmax', 'topK', 'logProbs', 'logits'] = ['argmax', 'topK', 'logProbs', 'logits'];
