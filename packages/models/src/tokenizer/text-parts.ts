import type { Tokenizer } from '@huggingface/tokenizers';
import { addedTokenSplit } from './added-tokens.js';
import type { exactCuts, Settings } from './exact-cuts.js';
import { type BertNormal, exactNormal } from './exact-normals.js';
import { eachPart } from './tokenizer-parts.js';

type Normalizer = NonNullable<Tokenizer['normalizer']>;

/** Makes the library normalise texts, and find the added tokens in them, as the original does. */
export function mendParts(
  tokenizer: Tokenizer,
  settings: Settings | null,
  added: readonly Settings[],
  cuts: ReturnType<typeof exactCuts> | undefined,
  bertNormal: BertNormal | undefined,
): void {
  const { normalizer, model } = tokenizer;
  if (normalizer !== null && settings !== null) mendNormalizer(normalizer, settings, bertNormal);
  const split = addedTokenSplit(
    added,
    (text) => normalizer?.normalize(text) ?? text,
    (text, isFirst) => model?._call(cuts?.(text, { section_index: isFirst ? 0 : 1 }) ?? [text]) ?? [],
  );
  Object.assign(tokenizer, { encode_text: (text: string | null) => (text === null ? null : split(text)) });
}

function mendNormalizer(normalizer: Normalizer, settings: Settings, bertNormal: BertNormal | undefined): void {
  const exact = exactNormal(settings, bertNormal);
  if (exact !== undefined) normalizer.normalize = exact;
  if (!('normalizers' in normalizer)) return;
  eachPart(normalizer.normalizers, settings.normalizers ?? [], (part: Normalizer, own) =>
    mendNormalizer(part, own, bertNormal),
  );
}
