import type { DecodeRequest } from '@foretoken/core';
import type { Attributes } from '@opentelemetry/api';
import { GEN_AI, OURS } from './names.js';

type AnyRequest = DecodeRequest<unknown>;

/** What a request says of itself. Of a request that is none, nothing: the decoder says what is wrong with it. */
export function requestAttributes(request: AnyRequest): Attributes {
  try {
    const { sources, maxNewTokens, seed, stopStrings } = request;
    return {
      [OURS.rows]: sources.length,
      [GEN_AI.maxTokens]: typeof maxNewTokens === 'number' ? maxNewTokens : undefined,
      [GEN_AI.seed]: seed,
      [GEN_AI.stops]: stopStrings === undefined ? undefined : [...stopStrings.strings],
    };
  } catch {
    return {};
  }
}

/** Tokens that outputs begin with; of a request that the decoder has taken. */
export function prefixTokens({ outputPrefixes = [] }: AnyRequest): number {
  return outputPrefixes.reduce((sum, prefix) => sum + prefix.length, 0);
}

/** Tokens that are read, prefixes of outputs among them; undefined where a source is no list of tokens. */
export function inputTokens(request: AnyRequest): number | undefined {
  let tokens = prefixTokens(request);
  for (const source of request.sources) {
    if (!(source instanceof Int32Array)) return undefined;
    tokens += source.length;
  }
  return tokens;
}
