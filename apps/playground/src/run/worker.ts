import { ForetokenError } from '@foretoken/core';
import { type LoadedModel, loadModel } from '@foretoken/models';
import type { RaceMessage, WorkerMessage } from './protocol.js';
import { recordRace } from './record-race.js';

const send = (message: WorkerMessage): void => self.postMessage(message);
const now = (): number => performance.timeOrigin + performance.now();

const models = new Map<string, Promise<LoadedModel>>();
let current = new AbortController();
/** Races run one after another: an earlier one first comes to rest. */
let last: Promise<unknown> = Promise.resolve();

self.addEventListener('message', ({ data }: MessageEvent<RaceMessage>) => {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  last = last.then(() => race(data, signal));
});

async function race(message: RaceMessage, signal: AbortSignal): Promise<void> {
  const { race, task, input, seed, entries } = message;
  if (signal.aborted) return;
  try {
    const began = now();
    const model = await modelOf(message);
    send({ type: 'loaded', race, milliseconds: now() - began });
    let first = true;
    const traces = await recordRace(model, {
      task,
      input,
      seed,
      entries,
      signal,
      runtime: 'onnxruntime-web, WebAssembly, 1 thread, fp32',
      onEvent(_entry, { type }) {
        if (!first || type !== 'token-commit') return;
        first = false;
        send({ type: 'first-token', race, at: now() });
      },
    });
    send({ type: 'traces', race, traces });
  } catch (error) {
    if (signal.aborted) return;
    const code = ForetokenError.isInstance(error) ? error.code : 'UNEXPECTED';
    send({ type: 'failed', race, code, message: error instanceof Error ? error.message : String(error) });
  }
}

/** The model of a task, loaded when it is first asked for; who asks again after a failure tries again. */
function modelOf({ folder, race }: RaceMessage): Promise<LoadedModel> {
  const known = models.get(folder);
  if (known !== undefined) return known;
  const loading = loadModel(new URL(`models/${folder}/`, pageUrl()), {
    threads: 1,
    // Drafts would be cut by what this machine takes at this moment, and the pictures would not be the same twice.
    probe: false,
    onProgress(event) {
      if (event.stage === 'read') send({ type: 'loading', race, share: event.bytes / event.totalBytes });
    },
  });
  models.set(folder, loading);
  loading.catch(() => models.delete(folder));
  return loading;
}

/** The worker's script is in `assets/` below the page. */
function pageUrl(): URL {
  return new URL(import.meta.env.DEV ? '/' : '../', self.location.href);
}
