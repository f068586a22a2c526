import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphSession, type OnnxRuntime, RuntimeTimings } from '@foretoken/core/runtime';
import type { BuiltGraph } from './graphs/plain-step.js';

/** Builds a bench graph into a temporary folder, opens it, and removes the folder again. */
export async function openBuiltGraph(
  runtime: OnnxRuntime,
  build: (dataFile: string) => BuiltGraph,
  threads: number,
): Promise<GraphSession> {
  const folder = await mkdtemp(join(tmpdir(), 'foretoken-bench-'));
  try {
    const { graph, weights } = build('weights.bin');
    await writeFile(join(folder, 'weights.bin'), weights);
    await writeFile(join(folder, 'graph.onnx'), graph);
    return await GraphSession.create(runtime, join(folder, 'graph.onnx'), { threads }, new RuntimeTimings());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
