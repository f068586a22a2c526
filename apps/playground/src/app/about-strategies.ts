/** What each strategy does, in words for someone who has never heard of it; apart, since only the page needs them. */
export const ABOUT: Readonly<Record<string, string>> = {
  greedy: 'Writes word by word, and always takes the most probable next one.',
  'speculative-copy':
    'Guesses that your text stays as it is. The model checks many words at once, so the result is that of Greedy, sooner.',
  speculative:
    'A small model guesses some words. The large one checks them all at once, so the result is that of Greedy, sooner.',
  ctc: 'Writes all words in one step. They do not see one another.',
  beam: 'Keeps several beginnings of the sentence, and goes on with the best ones.',
  sampling: 'Writes word by word, and draws the next one at random: probable words more often.',
  dag: 'Writes more words than it needs in one step, and takes the best path through them.',
  'mask-predict': 'Fills all places at once, then fills the doubtful ones again.',
  levenshtein: 'Deletes and inserts words, everywhere at once, until nothing changes.',
  diffusion: 'Fills the places in any order, one place a step.',
  'diffusion-fast': 'Fills the places in any order, several places a step.',
};
