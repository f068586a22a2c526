import type { LanguageModelV3CallOptions, SharedV3Warning } from '@ai-sdk/provider';

/** Settings of a call that a function which makes decoders may be given; `sampling` takes them all. */
export interface DecoderSettings {
  /** Scores are divided by it; 0 takes the most probable token. */
  readonly temperature?: number | undefined;
  /** Only the most probable tokens that together reach this probability. */
  readonly topP?: number | undefined;
  /** Only so many of the most probable tokens. */
  readonly topK?: number | undefined;
  /** Subtracted once from the score of a token that occurred. */
  readonly presencePenalty?: number | undefined;
  /** Subtracted for each time that a token occurred. */
  readonly frequencyPenalty?: number | undefined;
}

export const DECODER_SETTINGS: readonly (keyof DecoderSettings)[] = [
  'temperature',
  'topP',
  'topK',
  'presencePenalty',
  'frequencyPenalty',
];

/** The settings of a call that the decoder is made with: those that are given and that it takes. */
export function decoderSettings(
  options: LanguageModelV3CallOptions,
  taken: readonly (keyof DecoderSettings)[],
): DecoderSettings {
  return Object.fromEntries(
    taken.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const])),
  );
}

/** A warning for each option of a call that changes nothing here; `unknown` are names that nobody knows. */
export function settingWarnings(
  options: LanguageModelV3CallOptions,
  taken: readonly (keyof DecoderSettings)[],
  unknown: readonly string[],
): SharedV3Warning[] {
  const { tools = [], toolChoice, responseFormat, includeRawChunks, headers = {}, providerOptions = {} } = options;
  const warnings: SharedV3Warning[] = [];
  const unsupported = (feature: string, details: string): void => {
    warnings.push({ type: 'unsupported', feature, details });
  };
  for (const name of DECODER_SETTINGS) {
    if (options[name] === undefined || taken.includes(name)) continue;
    unsupported(name, 'The decoder has its own settings. Give a function that makes it, such as sampling, instead.');
  }
  if (tools.length > 0) unsupported('tools', 'The model is told of no tools and calls none.');
  if (toolChoice !== undefined && toolChoice.type !== 'none' && toolChoice.type !== 'auto') {
    unsupported('toolChoice', 'The model is told of no tools and calls none.');
  }
  if (responseFormat !== undefined && responseFormat.type !== 'text') {
    unsupported('responseFormat', 'The output is text. To make it JSON, build the decoder with a constraint.');
  }
  if (includeRawChunks === true) unsupported('includeRawChunks', 'There are no chunks of a server.');
  // The SDK always says who it is.
  if (Object.keys(headers).some((name) => name.toLowerCase() !== 'user-agent')) {
    unsupported('headers', 'Nothing is sent: the model runs in this process.');
  }
  if (providerOptions.foretoken !== undefined) {
    unsupported('providerOptions.foretoken', 'There are none. Build the decoder with the options that you want.');
  }
  for (const name of unknown) unsupported(name, 'No option of a call has this name.');
  return warnings;
}
