import type { Trace } from '@foretoken/streams';
import type { Entry } from './record-race.js';

/** What the page asks of its worker. */
export interface RaceMessage {
  readonly type: 'race';
  /** Counts the races; an answer to an earlier one is out of date. */
  readonly race: number;
  readonly task: string;
  /** Of the task's model, below `models/`. */
  readonly folder: string;
  readonly input: string;
  readonly seed: number;
  readonly entries: readonly Entry[];
}

/** What the worker answers. */
export type WorkerMessage = { readonly race: number } & (
  | { readonly type: 'loading'; readonly share: number }
  | { readonly type: 'loaded'; readonly milliseconds: number }
  /** `at` is milliseconds since 1970, so that page and worker mean the same moment. */
  | { readonly type: 'first-token'; readonly at: number }
  | { readonly type: 'traces'; readonly traces: readonly Trace[] }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
);
