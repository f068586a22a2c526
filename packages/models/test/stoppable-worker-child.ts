/** What the test of `stopWorker` runs as a process of its own: the main thread and, by the same file, its workers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { greedy } from '@foretoken/greedy';
import { loadModel, runStoppable, stopWorker } from '@foretoken/models';

type Work = 'decode' | 'return' | 'throw';

const folder = process.env.MODEL ?? '';

/** Decodes until the signal aborts, and says so when it is well under way. */
async function decode(signal: AbortSignal): Promise<void> {
  const model = await loadModel(folder, { probe: false, threads: 1 });
  try {
    const autoregressive = model.part('autoregressive');
    const sources = Array.from({ length: 64 }, () => Int32Array.of(5, 6, 7, 8, 9, 2));
    for (;;) {
      for await (const event of greedy().decode(autoregressive, { sources, signal })) {
        if (event.type === 'token-commit' && event.row === 0 && event.position === 3)
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
    for (let run = 0; run < 10; run++) assert.equal(typeof (await stopWorker(await decoding())), 'number');
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
