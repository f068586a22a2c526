import type { Trace } from '@foretoken/streams';
import { type Signal, signal } from '@preact/signals';
import type { RaceMessage, WorkerMessage } from '../run/protocol.js';
import { strategyOf } from '../run/strategies.js';
import { taskOf } from '../run/tasks.js';
import type { RaceChoice } from './share-link.js';

/** What the page shows of the worker. */
export interface RaceState {
  readonly stage: 'loading' | 'decoding' | 'done' | 'failed';
  /** Of the model's bytes. */
  readonly share: number;
  readonly error?: string | undefined;
}

/** Asks the worker for races; answers to an earlier race are dropped. */
export class Racer {
  readonly state: Signal<RaceState> = signal({ stage: 'loading', share: 0 });
  readonly traces: Signal<readonly Trace[]> = signal([]);
  /** Counts what was shown, so that each race is drawn anew and nothing of the last one moves. */
  readonly shown: Signal<number> = signal(0);
  /** Milliseconds from opening the page to the first token; measured once. */
  readonly firstTokenMs: Signal<number | undefined> = signal(undefined);
  readonly #worker: Worker;
  #race = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<WorkerMessage>) => this.#hear(data));
    worker.addEventListener('error', () => {
      this.state.value = { stage: 'failed', share: 0, error: 'The worker could not be started. Open the page anew.' };
    });
  }

  start({ task, input, seed, strategies, options }: RaceChoice): void {
    this.state.value = { stage: 'loading', share: 0 };
    const message: RaceMessage = {
      type: 'race',
      race: ++this.#race,
      task,
      folder: taskOf(task).folder,
      input,
      seed,
      entries: strategies.flatMap((id) => {
        const strategy = strategyOf(id);
        return strategy === undefined ? [] : [{ strategy, options: options[id] ?? {} }];
      }),
    };
    this.#worker.postMessage(message);
  }

  /** Shows decodes that were recorded just now or some time ago. */
  show(traces: readonly Trace[]): void {
    this.traces.value = traces;
    this.shown.value++;
  }

  #hear(message: WorkerMessage): void {
    if (message.race !== this.#race) return;
    if (message.type === 'loading') this.state.value = { stage: 'loading', share: message.share };
    else if (message.type === 'loaded') this.state.value = { stage: 'decoding', share: 1 };
    else if (message.type === 'first-token') {
      this.firstTokenMs.value ??= message.at - performance.timeOrigin;
    } else if (message.type === 'traces') {
      this.show(message.traces);
      this.state.value = { stage: 'done', share: 1 };
    } else {
      this.state.value = { stage: 'failed', share: 1, error: message.message };
    }
  }
}
