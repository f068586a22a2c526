const BY_RULE = 'It is no part of the model here: to decode so, pass';
const NO_SUCH = 'It has no effect on this model here.';

/**
 * What transformers makes of settings that graphs do not hold: the values that change nothing, and what does the same here.
 * A setting of config.json counts where generation_config.json does not have it, as in folders of older releases.
 */
export const SETTINGS: Readonly<Record<string, readonly [neutral: readonly unknown[], here: string]>> = {
  max_length: [[20], `${BY_RULE} maxNewTokens.`],
  max_new_tokens: [[], `${BY_RULE} maxNewTokens.`],
  min_length: [[0], `${BY_RULE} minNewTokens in the request.`],
  min_new_tokens: [[0], `${BY_RULE} minNewTokens in the request.`],
  num_beams: [[1], `${BY_RULE} beamSize to beamSearch.`],
  num_beam_groups: [[1], `${BY_RULE} groups to beamSearch.`],
  diversity_penalty: [[0], `${BY_RULE} diversityPenalty to beamSearch.`],
  length_penalty: [[1], `${BY_RULE} lengthPenalty to beamSearch.`],
  early_stopping: [[false], `${BY_RULE} stopWhen to beamSearch.`],
  num_return_sequences: [[1], `${BY_RULE} hypotheses to beamSearch.`],
  no_repeat_ngram_size: [[0], `${BY_RULE} noRepeatNgramSize.`],
  repetition_penalty: [[1], `${BY_RULE} repetitionPenalty.`],
  do_sample: [[false], `${BY_RULE} the request to sampling.`],
  temperature: [[1], `${BY_RULE} temperature to sampling.`],
  top_k: [[50, 0], `${BY_RULE} topK to sampling.`],
  top_p: [[1], `${BY_RULE} topP to sampling.`],
  min_p: [[], `${BY_RULE} minP to sampling.`],
  typical_p: [[1], `${BY_RULE} typicalP to sampling.`],
  epsilon_cutoff: [[0], `${BY_RULE} epsilonCutoff to sampling.`],
  eta_cutoff: [[0], `${BY_RULE} etaCutoff to sampling.`],
  penalty_alpha: [[0], `${BY_RULE} penalty to contrastiveSearch.`],
  forced_bos_token_id: [[], `${BY_RULE} it in outputPrefixes, or outputs will begin otherwise.`],
  forced_decoder_ids: [[], `${BY_RULE} forcedTokens.`],
  begin_suppress_tokens: [[], `${BY_RULE} a processor that forbids them at the first position.`],
  sequence_bias: [[], `${BY_RULE} logitBias for single tokens, or a processor.`],
  force_words_ids: [[], `${BY_RULE} phrases to beamSearch.`],
  constraints: [[], `${BY_RULE} phrases or a constraint.`],
  exponential_decay_length_penalty: [[], `${BY_RULE} a processor.`],
  guidance_scale: [[1], NO_SUCH],
  encoder_repetition_penalty: [[1], `${BY_RULE} a processor.`],
  encoder_no_repeat_ngram_size: [[0], `${BY_RULE} a processor.`],
  prefix: [['', ' '], 'It has no effect here: begin the text with it.'],
  task_specific_params: [
    [],
    'It has no effect here: pass what you want of it, and begin the text with a prefix it names.',
  ],
  stop_strings: [[], `${BY_RULE} stopStrings.`],
  max_time: [[], `${BY_RULE} a signal.`],
  // An output that reaches its limit has finishReason "length" here.
  forced_eos_token_id: [[], 'It has no effect here: an output that is cut at its limit does not get an end token.'],
  // Beam search has log-probabilities anyway.
  renormalize_logits: [[false, true], NO_SUCH],
  remove_invalid_values: [[false], 'It has no effect here: scores that are NaN or infinite are an error.'],
};
