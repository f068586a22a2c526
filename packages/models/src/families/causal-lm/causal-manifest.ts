import * as v from 'valibot';
import type { ManifestVocabulary, ModelManifest } from '../../folder/manifest.js';
import {
  candidates,
  content,
  fileName,
  heading,
  integer,
  layers,
  limits,
  optionalTokens,
  size,
  tokenId,
  vocabularySize,
} from '../../folder/manifest-schema.js';

/** A decoder-only language model: its source is a prompt, and outputs go on from there. `limits` are both those of prompt and output together. */
export interface CausalLanguageModelManifest extends ModelManifest {
  readonly family: 'causal-lm';
  readonly tokenizer: string;
  /** Tokens of prompts and outputs. */
  readonly vocabulary: ManifestVocabulary;
  /** Sizes of the network. */
  readonly architecture: {
    readonly width: number;
    readonly heads: number;
    /** Heads of keys and values, a divisor of `heads` (grouped queries). */
    readonly keyValueHeads: number;
    readonly headWidth: number;
    readonly layers: number;
  };
  /** One graph computes a step, whatever is asked of it. */
  readonly graphs: { readonly step: string };
  /** How many candidates the top-k output has. */
  readonly step: { readonly maxCandidates: number };
  /** Tokens beside the end token that end an output, as its last token. */
  readonly stopTokenIds?: readonly number[] | undefined;
  /** How conversations become prompts: a file with a chat template in Jinja, and the texts of the tokens that it names. */
  readonly chat?:
    | { readonly template: string; readonly tokens?: Readonly<Record<string, string>> | undefined }
    | undefined;
}

const tokenName: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^[a-z]+_token$/, 'a name such as bos_token'));
const tokenText: v.GenericSchema<string> = v.pipe(v.string(), v.maxLength(256));

export const causalLanguageModelSchema: v.GenericSchema<unknown, CausalLanguageModelManifest> = v.strictObject({
  ...heading,
  family: v.literal('causal-lm'),
  tokenizer: fileName,
  vocabulary: v.strictObject({ size: vocabularySize, endTokenId: v.exactOptional(tokenId), ...optionalTokens }),
  limits,
  architecture: v.strictObject({
    width: size,
    heads: integer(1, 1024),
    keyValueHeads: integer(1, 1024),
    headWidth: integer(1, 4096),
    layers,
  }),
  graphs: v.strictObject({ step: fileName }),
  step: v.strictObject({ maxCandidates: candidates }),
  stopTokenIds: v.exactOptional(v.pipe(v.array(tokenId), v.nonEmpty('at least one token'), v.maxLength(64))),
  chat: v.exactOptional(
    v.strictObject({
      template: fileName,
      tokens: v.exactOptional(v.record(tokenName, tokenText)),
    }),
  ),
  ...content,
});
