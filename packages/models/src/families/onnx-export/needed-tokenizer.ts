/** What a folder needs for text, in words; two lists of tokens where sources have a vocabulary of their own. */
export function neededTokenizer(ofSources: object | undefined): string {
  return ofSources === undefined ? 'tokenizer.json' : 'source.spm, target.spm, vocab.json and target_vocab.json';
}

/** What was looked for in a folder without a tokenizer, and what to put into it. */
export function tokenizerAdvice(ofSources: object | undefined): string {
  const needed = neededTokenizer(ofSources);
  const others =
    ofSources === undefined
      ? 'Looked for were tokenizer.json, source.spm with target.spm and vocab.json, tokenizer.bin, sentencepiece.bpe.model and spiece.model; the last two are not enough for every model.'
      : 'Its sources have a vocabulary of their own, so that all four of these files are looked for.';
  return `${others} Put ${needed} of the original model into it, and load it again.`;
}
