/** What a tokenizer.json may be made of, and how much of it. */
export const COMPONENTS: Readonly<Record<string, ReadonlySet<string>>> = {
  normalizer: new Set(
    'BertNormalizer Precompiled Sequence Replace NFC NFD NFKC NFKD Strip StripAccents Lowercase Prepend'.split(' '),
  ),
  pre_tokenizer: new Set(
    'BertPreTokenizer Sequence Whitespace WhitespaceSplit Metaspace ByteLevel Split Punctuation Digits Replace FixedLength'.split(
      ' ',
    ),
  ),
  post_processor: new Set('TemplateProcessing ByteLevel BertProcessing RobertaProcessing Sequence'.split(' ')),
  decoder: new Set('ByteLevel WordPiece Metaspace BPEDecoder CTC Sequence Replace Fuse Strip ByteFallback'.split(' ')),
};
export const CHILDREN = ['normalizers', 'pretokenizers', 'processors', 'decoders'] as const;
/** Fields whose text is put into the user's text. */
export const TEXTS: readonly string[] = [
  'content',
  'prepend',
  'replacement',
  'str_rep',
  'prefix',
  'suffix',
  'word_delimiter_token',
  'pad_token',
];

/** Fields whose text is replaced by a space; around every character when it is empty. */
export const SEARCHED: Readonly<Record<string, string>> = {
  Metaspace: 'replacement',
  BPEDecoder: 'suffix',
  CTC: 'word_delimiter_token',
};

// Limits far above any published tokenizer's, so that no file takes time or memory out of proportion to its text.
export const MAX_COMPONENTS = 64;
export const MAX_TEXT = 64;
export const MAX_GROWTH = 256;
export const MAX_TOKEN = 1024;
export const MAX_UNIGRAM_TOKEN = 64;
export const MAX_WORD = 200;
export const MAX_VOCABULARY_TEXT = 8_000_000;
export const MAX_ADDED_TEXT = 1_000_000;
export const MAX_TEMPLATE = 64;

/** The library keeps the parts of a sequence in the order of the file. */
export function eachPart<Part>(
  parts: unknown,
  settings: unknown,
  mend: (part: Part, own: Readonly<Record<string, unknown>>) => void,
): void {
  for (const [at, own] of (settings as readonly (Readonly<Record<string, unknown>> | null)[]).entries()) {
    if (own !== null) mend((parts as readonly Part[])[at], own);
  }
}
