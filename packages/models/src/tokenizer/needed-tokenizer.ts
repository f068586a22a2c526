/** What a folder needs for text, in words; two lists of tokens where sources have a vocabulary of their own. */
export function neededTokenizer(ofSources: object | undefined): string {
  return ofSources === undefined ? 'tokenizer.json' : 'source.spm, target.spm, vocab.json and target_vocab.json';
}
