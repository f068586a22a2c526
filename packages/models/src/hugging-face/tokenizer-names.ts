import type { PieceTokenizerNames } from '../folder/manifest.js';

/** A tokenizer in one file, as the library tokenizers writes it. */
export const TOKENIZER = 'tokenizer.json';
/** What translation models were published with before there were tokenizer.json files; its names are those of transformers. */
export const PIECES: PieceTokenizerNames = { source: 'source.spm', target: 'target.spm', vocabulary: 'vocab.json' };
/** The ids of the target's pieces, of models with two vocabularies. */
export const TARGET_VOCABULARY = 'target_vocab.json';
/** One SentencePiece model for both sides, whose pieces have ids of their own. */
export const ONE_MODEL = 'sentencepiece.bpe.model';
/** One SentencePiece model whose pieces are numbered as they lie in it. */
export const NUMBERED_PIECES = 'spiece.model';
