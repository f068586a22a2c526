export type { DecoderSettings, ForetokenCallOptions } from './call-options.js';
export { ChatForetoken, type ChatForetokenCallOptions, type ChatForetokenFields } from './chat-foretoken.js';
export { ForetokenLLM, type ForetokenLLMCallOptions, type ForetokenLLMFields } from './foretoken-llm.js';
export type { DecoderOption, ForetokenFields, TextModel } from './text-calls.js';
