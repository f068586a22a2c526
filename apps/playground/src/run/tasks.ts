/** What the playground can be asked to do. */
export type TaskId = 'correct' | 'translate' | 'shakespeare';

export interface Task {
  readonly id: TaskId;
  readonly label: string;
  /** Folder below `models/`. */
  readonly folder: string;
  /** Size of the model, for those who pay for it. */
  readonly megabytes: number;
  readonly prompt: string;
  /** Lines of the box that it is typed into. */
  readonly rows: number;
  readonly examples: readonly string[];
  /** What races at first. */
  readonly strategies: readonly string[];
}

export const TASKS: readonly Task[] = [
  {
    id: 'correct',
    label: 'Correct English',
    folder: 'english-correction',
    megabytes: 11,
    prompt: 'A sentence with mistakes',
    rows: 1,
    examples: [
      'i dont know were teh keys are but i will look for them tomorow',
      'The goverment has recieved alot of letters about the new libary.',
      'she have two brothers and they lives in london',
    ],
    strategies: ['greedy', 'speculative-copy', 'ctc'],
  },
  {
    id: 'translate',
    label: 'Translate to German',
    folder: 'multi30k-en-de',
    megabytes: 23,
    prompt: 'A sentence that describes a picture',
    rows: 1,
    examples: [
      'A young blond woman holds a white rope on a sunny day.',
      'Two dogs are running through the snow.',
      'A little girl is climbing into a wooden playhouse.',
    ],
    strategies: ['greedy', 'speculative', 'mask-predict'],
  },
  {
    id: 'shakespeare',
    label: 'Write Shakespeare',
    folder: 'tinyshakespeare',
    megabytes: 2,
    prompt: 'How the text begins',
    rows: 2,
    examples: ['ROMEO:\nO, ', 'To be, or', 'KING HENRY:\nMy lord, '],
    strategies: ['diffusion', 'diffusion-fast'],
  },
];

export function taskOf(id: string): Task {
  return TASKS.find((task) => task.id === id) ?? (TASKS[0] as Task);
}
