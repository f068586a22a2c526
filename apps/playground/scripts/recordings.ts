/** What is recorded: races on one input, and the files that their traces go into. */
export interface Recording {
  readonly task: 'correct' | 'translate' | 'shakespeare';
  readonly input: string;
  readonly seed: number;
  /** Strategies, by the names of their files. */
  readonly strategies: Readonly<Record<string, string>>;
}

const CAPTION = 'A young blond woman holds a white rope on a sunny day.';

export const RECORDINGS: readonly Recording[] = [
  {
    task: 'correct',
    input: 'i dont know were teh keys are but i will look for them tomorow',
    seed: 0,
    strategies: {
      'correct-greedy': 'greedy',
      'correct-speculative': 'speculative-copy',
      'correct-ctc': 'ctc',
    },
  },
  {
    task: 'translate',
    input: CAPTION,
    seed: 0,
    strategies: { greedy: 'greedy', speculative: 'speculative', beam: 'beam', ctc: 'ctc' },
  },
  {
    task: 'translate',
    input: CAPTION,
    seed: 0,
    strategies: { dag: 'dag', 'mask-predict': 'mask-predict', levenshtein: 'levenshtein' },
  },
  {
    task: 'shakespeare',
    input: 'ROMEO:\nO, ',
    seed: 3,
    strategies: { diffusion: 'diffusion-fast' },
  },
];
