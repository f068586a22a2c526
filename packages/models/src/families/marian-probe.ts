import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import type { GraphSessions } from './graph-sessions.js';
import { LONE_ROW_WIDTH, type MarianStepShape } from './marian-step-driver.js';
import { type ProbeBudget, timed, WidthCosts } from './probe.js';
import { clearlyFastest } from './probe-threads.js';

// A typical state in the middle of a sentence.
const SOURCE_LENGTH = 16;
const PAST_LENGTH = 12;
const MAX_NODES = 16;

/** Milliseconds that measuring may take, and those of them for comparing thread counts. */
export const PROBE_MILLISECONDS = 200;
export const THREADS_MILLISECONDS = 100;

/** Feeds of one forward with `nodes` new nodes over zeroed caches, as one row alone has them. */
function stepFeeds(runtime: OnnxRuntime, shape: MarianStepShape, nodes: number): Record<string, Tensor> {
  const { Tensor } = runtime;
  const { width: modelWidth, layers } = shape;
  const width = Math.max(nodes, LONE_ROW_WIDTH);
  const total = PAST_LENGTH + width;
  const feeds: Record<string, Tensor> = {
    token_ids: new Tensor('int32', new Int32Array(width), [1, width]),
    // Any position costs the same, and the first is one that every model has.
    positions: new Tensor('int32', new Int32Array(width), [1, width]),
    scored: new Tensor(
      'int32',
      Int32Array.from({ length: nodes }, (_, cell) => cell),
      [nodes],
    ),
    attention_bias: new Tensor('float32', new Float32Array(width * total), [1, 1, width, total]),
    cross_bias: new Tensor('float32', new Float32Array(width * SOURCE_LENGTH), [1, 1, width, SOURCE_LENGTH]),
  };
  for (let part = 0; part < 2 * layers; part++) {
    const zeros = new Float32Array(SOURCE_LENGTH * modelWidth);
    const past = new Float32Array(PAST_LENGTH * modelWidth);
    feeds[`past_${part}`] = new Tensor('float32', past, [1, PAST_LENGTH, modelWidth]);
    feeds[`cross_${part}`] = new Tensor('float32', zeros, [1, SOURCE_LENGTH, modelWidth]);
  }
  return feeds;
}

/** Measures the step graph by width. Throws the signal's reason. */
export async function probeWidths(
  { runtime }: GraphSessions,
  session: GraphSession,
  shape: MarianStepShape,
  budget: ProbeBudget,
  signal: AbortSignal | undefined,
): Promise<WidthCosts> {
  const feeds = Array.from({ length: MAX_NODES }, (_, index) => stepFeeds(runtime, shape, index + 1));
  return WidthCosts.measure(MAX_NODES, budget, (width) => {
    signal?.throwIfAborted();
    return session.run(feeds[width - 1] as Record<string, Tensor>);
  });
}

/**
 * The thread count that runs steps fastest; one thread unless more win clearly, or where the budget does not allow opening the
 * graph again for each count.
 *
 * Opens the step graph of `sessions` with one thread. Throws `RUNTIME_FAILURE`, `DISPOSED`, the signal's reason.
 */
export async function probeThreads(
  sessions: GraphSessions,
  file: string,
  shape: MarianStepShape,
  cores: number,
  budget: ProbeBudget,
  signal: AbortSignal | undefined,
): Promise<number> {
  sessions.threads = 1;
  const opening = await timed(budget.clock, () => sessions.get(file));
  const others = [...new Set([2, 4, 8].map((count) => Math.min(count, cores)))].filter((count) => count > 1);
  const opened: GraphSession[] = [];
  try {
    const candidates = [1];
    for (const threads of others) {
      signal?.throwIfAborted();
      if (!budget.fits(opening)) break;
      await budget.spend(async () => opened.push(await sessions.openApart(file, threads)));
      candidates.push(threads);
    }
    if (candidates.length === 1) return 1;
    const feeds = [1, 4].map((width) => stepFeeds(sessions.runtime, shape, width));
    const ways = [await sessions.get(file), ...opened].map((session) => async () => {
      for (let step = 0; step < 6; step++) {
        signal?.throwIfAborted();
        await session.run(feeds[step % 2] as Record<string, Tensor>);
        // A decoding loop does other things in between, long enough for waiting threads to fall asleep.
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    return candidates[await clearlyFastest(ways, budget)] as number;
  } finally {
    for (const session of opened) await session.dispose();
  }
}
