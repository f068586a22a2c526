/** A tokenizer.json of our own making: byte-pair encoding over words marked with "▁", as translation models use. */
export function tinyTokenizer(): Record<string, unknown> {
  const special = ['<pad>', '<unk>', '</s>', '<start>'];
  const pieces = [
    ...special.slice(0, 3),
    '▁',
    ...'abcdehilnorstuwß.,',
    '▁a',
    'in',
    '▁s',
    '▁st',
    'er',
    '▁li',
    '▁lin',
    '▁line',
  ];
  const vocab = Object.fromEntries([...pieces, '<start>'].map((piece, id) => [piece, id]));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({
      id: vocab[content],
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { String: '  ' }, content: ' ' }],
    },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [],
      special_tokens: { '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] } },
    },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: false,
      vocab,
      merges: [
        ['▁', 'a'],
        ['i', 'n'],
        ['▁', 's'],
        ['▁s', 't'],
        ['e', 'r'],
        ['▁', 'l'],
        ['▁l', 'i'],
        ['▁li', 'n'],
        ['▁l', 'in'],
        ['▁lin', 'e'],
      ],
    },
  };
}

/** The sizes that fit `tinyTokenizer`. */
export const TINY_VOCABULARY = { size: 31, endTokenId: 2, padTokenId: 0, unknownTokenId: 1 } as const;

/** Sets one part of a tokenizer, named by keys and indices joined with dots; `undefined` removes it. */
export function edited(path: string, value: unknown): Record<string, unknown> {
  const tokenizer = tinyTokenizer();
  const keys = path.split('.');
  let owner = tokenizer;
  for (const key of keys.slice(0, -1)) owner = owner[key] as Record<string, unknown>;
  owner[keys.at(-1) as string] = value;
  return tokenizer;
}
