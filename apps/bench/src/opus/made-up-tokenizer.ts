/**
 * A tokenizer.json of `size` tokens in the manner of SentencePiece: the end and the unknown token first, the padding last, letters
 * and made-up words between them. It reads any text of plain letters.
 */
export function madeUpTokenizer(size: number): string {
  const pieces = ['</s>', '<unk>', ...inventedPieces(size - 3), '<pad>'];
  const special = [0, 1, size - 1];
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((id) => ({
      id,
      content: pieces[id],
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '</s>': { id: '</s>', ids: [0], tokens: ['</s>'] } },
    },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    // The more frequent a piece, the lower its number; a piece's score is the logarithm of its frequency.
    model: { type: 'Unigram', unk_id: 1, byte_fallback: false, vocab: pieces.map((piece, id) => [piece, scoreOf(id)]) },
  });
}

const scoreOf = (id: number): number => (id < 2 ? 0 : Number(-Math.log(id).toFixed(4)));

const CHARACTERS = '▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?\'"()-';
const CONSONANTS = 'bdfghklmnprstvwz';
const VOWELS = 'aeiou';

/** Single characters, then words of ever more syllables, half of them as they begin a word. */
function inventedPieces(count: number): string[] {
  const pieces = [...CHARACTERS].slice(0, count);
  const syllables = [...CONSONANTS].flatMap((consonant) => [...VOWELS].map((vowel) => consonant + vowel));
  let words = syllables;
  while (pieces.length < count) {
    pieces.push(...words.flatMap((word) => [`▁${word}`, word]).slice(0, count - pieces.length));
    words = words.flatMap((word) => syllables.map((syllable) => word + syllable)).slice(0, count);
  }
  return pieces;
}
