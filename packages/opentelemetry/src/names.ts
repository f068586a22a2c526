/**
 * Names of OpenTelemetry's semantic conventions for generative AI. That package calls them experimental and may rename its exports,
 * so they are written out; the tests compare them.
 */
export const GEN_AI = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  maxTokens: 'gen_ai.request.max_tokens',
  seed: 'gen_ai.request.seed',
  stops: 'gen_ai.request.stop_sequences',
  temperature: 'gen_ai.request.temperature',
  topP: 'gen_ai.request.top_p',
  topK: 'gen_ai.request.top_k',
  presencePenalty: 'gen_ai.request.presence_penalty',
  frequencyPenalty: 'gen_ai.request.frequency_penalty',
  finishReasons: 'gen_ai.response.finish_reasons',
  firstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  tokenType: 'gen_ai.token.type',
  error: 'error.type',
  durationMetric: 'gen_ai.client.operation.duration',
  tokensMetric: 'gen_ai.client.token.usage',
  firstChunkMetric: 'gen_ai.client.operation.time_to_first_chunk',
} as const;

/** What the conventions have no name for. */
export const OURS = {
  decoder: 'foretoken.decoder',
  rows: 'foretoken.rows',
  forwards: 'foretoken.forwards',
  otherForwards: 'foretoken.other_forwards',
  stoppedEarly: 'foretoken.stopped_early',
  draftRounds: 'foretoken.speculation.rounds',
  draftForwards: 'foretoken.speculation.draft_forwards',
  proposed: 'foretoken.speculation.proposed',
  evaluated: 'foretoken.speculation.evaluated',
  accepted: 'foretoken.speculation.accepted',
  firstTokenEvent: 'foretoken.first_token',
} as const;
