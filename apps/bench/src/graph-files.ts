import { GraphSession, type OnnxRuntime, RuntimeTimings } from '@foretoken/core/runtime';
import type { BuiltGraph } from './graphs/plain-step.js';

/** Builds a bench graph and opens it. */
export async function openBuiltGraph(
  runtime: OnnxRuntime,
  build: (dataFile: string) => Promise<BuiltGraph>,
  threads: number,
): Promise<GraphSession> {
  const dataFile = 'weights.bin';
  const { graph, weights } = await build(dataFile);
  const content = { path: 'bench graph', graph, externalData: new Map([[dataFile, weights]]) };
  return GraphSession.create(runtime, content, { threads }, new RuntimeTimings());
}
