/** Longest time that a decode computes before other work of its thread has a turn, in milliseconds. */
const MAX_STRETCH_MS = 20;

/**
 * Lets timers, requests and aborts have their turn between the steps of a long computation.
 *
 * A loop asks `due()` at every step, which costs a look at `performance.now`, and awaits `yield()` where it is. One object
 * belongs to one decode. It reads `performance.now` and `setImmediate` at each call, so a test may replace them.
 */
export class Yielder {
  readonly #signal: AbortSignal | undefined;
  #began: number = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Whether the computation has gone on for long enough. */
  due(): boolean {
    return performance.now() - this.#began >= MAX_STRETCH_MS;
  }

  /**
   * Throws the signal's reason, if it was aborted. Call it first where errors are caught and told in other words: an abort is
   * no fault of what was read.
   */
  throwIfAborted(): void {
    this.#signal?.throwIfAborted();
  }

  /** Resolves after a turn of the event loop. Throws the signal's reason. */
  async yield(): Promise<void> {
    await nextTurn();
    this.throwIfAborted();
    this.#began = performance.now();
  }

  /** Runs a computation that yields after each of its steps, to its end. Throws what it throws and the signal's reason. */
  async run<Result>(steps: Generator<unknown, Result, undefined>): Promise<Result> {
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
      if (this.due()) await this.yield();
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    // Browsers have no setImmediate, and their timers wait some milliseconds each.
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}
