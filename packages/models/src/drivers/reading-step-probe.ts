import type { Feeds, GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import type { GraphSessions } from './graph-sessions.js';
import { MeasuredCosts } from './measured-costs.js';
import { type ProbeBudget, timed, typicalTime, WidthCosts } from './probe.js';
import { clearlyFastest } from './probe-threads.js';
import { LONE_ROW_WIDTH, type ReadingStepShape } from './reading-step-driver.js';

// A typical state in the middle of a sentence.
const SOURCE_LENGTH = 16;
const PAST_LENGTH = 12;
const MAX_NODES = 16;

/** Milliseconds that measuring may take, and those of them for comparing thread counts. */
export const PROBE_MILLISECONDS = 200;
export const THREADS_MILLISECONDS = 100;

/** Feeds of one forward with `nodes` new nodes in each row over zeroed caches. */
function stepFeeds(runtime: OnnxRuntime, shape: ReadingStepShape, nodes: number, rows = 1): Record<string, Tensor> {
  const { Tensor } = runtime;
  const { width: modelWidth, layers } = shape;
  const width = rows === 1 ? Math.max(nodes, LONE_ROW_WIDTH) : nodes;
  const scored = Int32Array.from({ length: rows * nodes }, (_, index) => {
    return Math.floor(index / nodes) * width + (index % nodes);
  });
  const feeds: Record<string, Tensor> = {
    token_ids: new Tensor('int32', new Int32Array(rows * width), [rows, width]),
    // Any position costs the same, and the first is one that every model has.
    positions: new Tensor('int32', new Int32Array(rows * width), [rows, width]),
    scored: new Tensor('int32', scored, [scored.length]),
    cross_bias: new Tensor('float32', new Float32Array(rows * width * SOURCE_LENGTH), [rows, 1, width, SOURCE_LENGTH]),
  };
  for (let part = 0; part < 2 * layers; part++) {
    const zeros = new Float32Array(rows * SOURCE_LENGTH * modelWidth);
    feeds[`cross_${part}`] = new Tensor('float32', zeros, [rows, SOURCE_LENGTH, modelWidth]);
  }
  return { ...feeds, ...keptFeeds(runtime, shape, rows, width) };
}

/** What earlier nodes keep: states, or keys and values. */
function keptFeeds(
  { Tensor }: OnnxRuntime,
  { width: modelWidth, layers, byDistance, stateWidth }: ReadingStepShape,
  rows: number,
  width: number,
): Record<string, Tensor> {
  if (stateWidth !== undefined) {
    // A row's new nodes as one chain.
    return { before: new Tensor('float32', new Float32Array(rows * stateWidth), [rows, stateWidth]) };
  }
  const total = PAST_LENGTH + width;
  const feeds: Record<string, Tensor> = {
    attention_bias: new Tensor('float32', new Float32Array(rows * width * total), [rows, 1, width, total]),
  };
  if (byDistance) feeds.key_positions = new Tensor('int32', new Int32Array(rows * total), [rows, total]);
  for (let part = 0; part < 2 * layers; part++) {
    const past = new Float32Array(rows * PAST_LENGTH * modelWidth);
    feeds[`past_${part}`] = new Tensor('float32', past, [rows, PAST_LENGTH, modelWidth]);
  }
  return feeds;
}

/** What is measured: a step, whatever it returns. */
export interface ProbedStep {
  run(feeds: Feeds): Promise<unknown>;
}

/** Measures the step by width. Throws the signal's reason. */
export async function probeWidths(
  { runtime }: GraphSessions,
  step: ProbedStep,
  shape: ReadingStepShape,
  budget: ProbeBudget,
  signal: AbortSignal | undefined,
): Promise<WidthCosts> {
  const feeds = Array.from({ length: MAX_NODES }, (_, index) => stepFeeds(runtime, shape, index + 1));
  return WidthCosts.measure(MAX_NODES, budget, (width) => {
    signal?.throwIfAborted();
    return step.run(feeds[width - 1]);
  });
}

/** Rows of the batches that are measured, and their nodes a row. */
const BATCH_ROWS = 8;
const BATCH_NODES = [1, 4] as const;
/** Forwards of each, and how many must have been timed: one alone may have met a slow moment. */
const BATCH_REPEATS = 3;
const MIN_BATCH_TIMES = 2;

/** Measures forwards of several rows, where the budget has room for them; one row's widths were measured before. */
export async function probeBatches(
  { runtime }: GraphSessions,
  step: ProbedStep,
  shape: ReadingStepShape,
  widths: WidthCosts,
  budget: ProbeBudget,
  signal: AbortSignal | undefined,
): Promise<MeasuredCosts | undefined> {
  const { curve } = widths;
  if (curve.length === 0) return undefined;
  const times = BATCH_NODES.map((): number[] => []);
  // A batch takes at most as long as its rows one after the other.
  const room = BATCH_ROWS * curve[BATCH_NODES[1] - 1];
  for (let repeat = 0; repeat <= BATCH_REPEATS && budget.fits(room); repeat++) {
    for (const [index, nodes] of BATCH_NODES.entries()) {
      signal?.throwIfAborted();
      const feeds = stepFeeds(runtime, shape, nodes, BATCH_ROWS);
      const time = await budget.spend(() => step.run(feeds));
      // The first warms up memory and caches.
      if (repeat > 0) times[index].push(time);
    }
  }
  const [narrow, wide] = BATCH_NODES.map((nodes, index) => {
    const known = times[index];
    const milliseconds = typicalTime(known.length < MIN_BATCH_TIMES ? [] : known) ?? Number.NaN;
    return { rows: BATCH_ROWS, nodes, milliseconds };
  });
  return new MeasuredCosts(curve, narrow, wide);
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
  shape: ReadingStepShape,
  cores: number,
  budget: ProbeBudget,
  signal: AbortSignal | undefined,
): Promise<number> {
  sessions.threads = 1;
  const opening = await timed(budget.clock, () => sessions.get(file));
  const others = [...new Set([2, 4, 8].map((count) => Math.min(count, cores)))].filter((count) => count > 1);
  const opened: GraphSession[] = [];
  try {
    for (const threads of others) {
      signal?.throwIfAborted();
      if (!budget.fits(opening)) break;
      await budget.spend(async () => opened.push(await sessions.openApart(file, threads)));
    }
    if (opened.length === 0) return 1;
    const feeds = [1, 4].map((width) => stepFeeds(sessions.runtime, shape, width));
    const ways = [await sessions.get(file), ...opened].map((session) => async () => {
      for (let step = 0; step < 6; step++) {
        signal?.throwIfAborted();
        await session.run(feeds[step % 2]);
        // A decoding loop does other things in between, long enough for waiting threads to fall asleep.
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    return [1, ...others][await clearlyFastest(ways, budget)];
  } finally {
    // All at once, so that one that fails keeps no other open.
    await Promise.all(opened.map((session) => session.dispose()));
  }
}
