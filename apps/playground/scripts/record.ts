// Decodes the inputs of `recordings.ts` with onnxruntime-node and writes what happened to `traces/`, for pages without a model.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '@foretoken/models';
import { writeTrace } from '@foretoken/streams';
import { type Entry, recordRace } from '../src/run/record-race.js';
import { strategyOf } from '../src/run/strategies.js';
import { taskOf } from '../src/run/tasks.js';
import { RECORDINGS } from './recordings.js';

const TRACES = join(process.cwd(), 'traces');

await mkdir(TRACES, { recursive: true });
for (const { task, input, seed, strategies } of RECORDINGS) {
  const model = await loadModel(`@foretoken/model-${taskOf(task).folder}`, { threads: 1, probe: false });
  try {
    const names = Object.keys(strategies);
    const entries = names.map((name): Entry => {
      const strategy = strategyOf(strategies[name]);
      if (strategy === undefined) throw new Error(`There is no strategy ${strategies[name]}.`);
      return { strategy, options: {} };
    });
    const runtime = `onnxruntime-node, ${model.threads} thread, fp32, recorded`;
    const traces = await recordRace(model, { task, input, seed, entries, runtime, repeats: 40, chosen: 'fastest' });
    for (const [index, trace] of traces.entries()) {
      const text = writeTrace(trace);
      await writeFile(join(TRACES, `${names[index]}.jsonl`), text);
      console.log(`${names[index]}.jsonl: ${text.length} bytes, ${trace.header.text}`);
    }
  } finally {
    await model.dispose();
  }
}
