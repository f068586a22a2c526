/** What the test of `stopWorker` runs as a process of its own: the main thread and, by the same file, its workers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { beamSearch } from '@foretoken/beam';
import { greedy } from '@foretoken/greedy';
import { loadModel, runStoppable, stopWorker } from '@foretoken/models';

type Work = 'decode' | 'return' | 'throw';

const folder = process.env.MODEL ?? '';
/** Sound for models that hear, and tokens for others. */
const frames = Number(process.env.FRAMES ?? 0);
const mels = 8;
const source: unknown =
  frames === 0
    ? Int32Array.of(5, 6, 7, 8, 5, 2)
    : { values: new Float32Array(mels * frames).fill(0.1), dims: [mels, frames], language: 'en', task: 'transcribe' };
/** Decodes by turns, so that beams and forests of every kind are stopped. */
const decoders = [greedy<unknown>(), beamSearch<unknown>({ beamSize: 3 })];

/** Decodes until the signal aborts, and says so when it is well under way. */
async function decode(signal: AbortSignal): Promise<void> {
  const model = await loadModel<unknown, object, unknown>(folder, { probe: false, threads: 1 });
  try {
    const autoregressive = model.part('autoregressive');
    const sources = Array.from({ length: 64 }, () => source);
    for (let turn = 0; ; turn++) {
      const decoder = decoders[turn % decoders.length];
      for await (const event of decoder.decode(autoregressive, { sources, signal, maxNewTokens: 12 })) {
        // One that ends at once is under way as well when it comes to its second turn.
        if ((event.type === 'token-commit' && event.row === 0 && event.position === 3) || turn === 1)
          parentPort?.postMessage('decoding');
      }
    }
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

const workerFor = (work: Work): Worker => new Worker(new URL(import.meta.url), { workerData: work });

async function decoding(): Promise<Worker> {
  const worker = workerFor('decode');
  await once(worker, 'message');
  return worker;
}

const modes: Readonly<Record<string, () => Promise<void>>> = {
  async 'stop in mid-decode'() {
    for (let run = 0; run < Number(process.env.RUNS ?? 10); run++)
      assert.equal(typeof (await stopWorker(await decoding())), 'number');
  },
  async 'stop several, then exit'() {
    const workers = await Promise.all([decoding(), decoding()]);
    await Promise.all(workers.map(stopWorker));
    process.exit(0);
  },
  async 'stop twice, before work, and after the end'() {
    const worker = await decoding();
    await Promise.all([stopWorker(worker), stopWorker(worker)]);
    assert.equal(typeof (await stopWorker(worker)), 'number');
    await stopWorker(workerFor('decode'));
  },
  async 'work that ends by itself'() {
    const [code] = await once(workerFor('return'), 'exit');
    if (code !== 0) throw new Error(`exit code ${code}`);
    assert.equal(typeof (await stopWorker(workerFor('return'))), 'number');
  },
  async 'work that fails'() {
    const worker = workerFor('throw');
    const [error] = await once(worker, 'error');
    if (!String(error).includes('no luck')) throw new Error(`another error: ${error}`);
    assert.equal(typeof (await stopWorker(worker)), 'number');
  },
};

if (isMainThread) {
  await modes[process.argv[2]]?.();
  process.stdout.write('rested\n');
} else {
  await runStoppable(async (signal) => {
    const work = workerData as Work;
    if (work === 'throw') throw new Error('no luck');
    if (work === 'decode') await decode(signal);
  });
}
