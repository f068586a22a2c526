import { GraphSession, type OnnxRuntime, RuntimeTimings, type Tensor } from '@foretoken/core/runtime';
import type { MarianStepShape } from './marian-step-driver.js';
import { WidthCosts } from './probe.js';

// A typical state in the middle of a sentence.
const SOURCE_LENGTH = 16;
const PAST_LENGTH = 12;
const MOST_NODES = 16;

/**
 * More threads must win by a wide margin: in a tight loop, as here, they stay awake between forwards, and in a decoding loop
 * they do not; and each small operator waits for the slowest core, which others may be using.
 */
const THREADS_MUST_SAVE = 0.6;

/** Feeds of one forward with `width` new nodes over zeroed caches. */
function stepFeeds(runtime: OnnxRuntime, shape: MarianStepShape, width: number): Record<string, Tensor> {
  const { Tensor } = runtime;
  const { width: modelWidth, layers } = shape;
  const total = PAST_LENGTH + width;
  const feeds: Record<string, Tensor> = {
    token_ids: new Tensor('int32', new Int32Array(width), [1, width]),
    // Any position costs the same, and the first is one that every model has.
    positions: new Tensor('int32', new Int32Array(width), [1, width]),
    scored: new Tensor(
      'int32',
      Int32Array.from({ length: width }, (_, cell) => cell),
      [width],
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

/** Measures the step graph by width. */
export async function probeWidths(
  runtime: OnnxRuntime,
  session: GraphSession,
  shape: MarianStepShape,
): Promise<WidthCosts> {
  const feeds = Array.from({ length: MOST_NODES }, (_, index) => stepFeeds(runtime, shape, index + 1));
  return WidthCosts.measure(MOST_NODES, 8, (width) => session.run(feeds[width - 1] as Record<string, Tensor>));
}

/** The thread count that runs a short sentence's worth of steps fastest; one thread unless more win clearly. */
export async function probeThreads(
  runtime: OnnxRuntime,
  stepPath: string,
  shape: MarianStepShape,
  cores: number,
): Promise<number> {
  const candidates = [...new Set([1, 2, Math.min(4, cores), Math.min(8, cores)])].filter((count) => count <= cores);
  if (candidates.length === 1) return 1;
  const sessions: GraphSession[] = [];
  try {
    for (const threads of candidates) {
      sessions.push(await GraphSession.create(runtime, stepPath, { threads }, new RuntimeTimings()));
    }
    const feeds = [1, 4].map((width) => stepFeeds(runtime, shape, width));
    const costs = candidates.map((): number[] => []);
    for (let repeat = 0; repeat < 9; repeat++) {
      for (let index = 0; index < sessions.length; index++) {
        const began = performance.now();
        for (let step = 0; step < 6; step++) {
          await (sessions[index] as GraphSession).run(feeds[step % 2] as Record<string, Tensor>);
          // A decoding loop does other things in between, long enough for waiting threads to fall asleep.
          await new Promise((resolve) => setImmediate(resolve));
        }
        if (repeat > 0) (costs[index] as number[]).push(performance.now() - began);
      }
    }
    // The median, not the best: extra threads do well only while nothing else wants a core.
    const median = costs.map((values) => values.sort((a, b) => a - b)[values.length >> 1] as number);
    let best = 0;
    for (let index = 1; index < candidates.length; index++) {
      const limit = best === 0 ? THREADS_MUST_SAVE * (median[0] as number) : (median[best] as number);
      if ((median[index] as number) < limit) best = index;
    }
    return candidates[best] as number;
  } finally {
    for (const session of sessions) await session.dispose();
  }
}
