import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** CTranslate2 in a process of its own, which tells how long it took. */
export interface WhisperPeer {
  /** Seconds of one decode of a window, its spectrum apart. */
  seconds(window: number, beamSize: number): Promise<number>;
  close(): void;
}

// The sources are a folder deeper than the built bench.
const HERE = dirname(fileURLToPath(import.meta.url));
const SCRIPT = join(HERE, import.meta.url.endsWith('.ts') ? '../..' : '..', 'data/models/whisper_peer.py');

/** The peer, where `FORETOKEN_PEER_PYTHON` names a Python with ctranslate2 and transformers; `models` holds the packages' folders. */
export function openWhisperPeer(models: string): WhisperPeer | undefined {
  const python = process.env.FORETOKEN_PEER_PYTHON;
  if (python === undefined || python === '') return undefined;
  const child = spawn(python, [SCRIPT, '--models', models, '--serve'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async seconds(window, beamSize) {
      child.stdin.write(`${JSON.stringify([window, beamSize])}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${SCRIPT} ended; run it by hand to see why.`);
      return JSON.parse(value) as number;
    },
    close() {
      child.stdin.end();
    },
  };
}
