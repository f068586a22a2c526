import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// The sources are a folder deeper than the built bench.
const HERE = dirname(fileURLToPath(import.meta.url));
const SCRIPTS = join(HERE, import.meta.url.endsWith('.ts') ? '../..' : '..', 'data/models');

/** Another implementation in a process of its own, so that neither has the other's threads and memory. */
export interface PeerProcess {
  /** Writes a line of JSON and reads the line that answers it. */
  ask(question: unknown): Promise<unknown>;
  close(): void;
}

/** Starts a script of `data/models` with `command`. */
export function openPeer(command: string, script: string, args: readonly string[]): PeerProcess {
  const path = join(SCRIPTS, script);
  const child = spawn(command, [path, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // Who ended is told by the answer that does not come.
  child.stdin.on('error', () => {});
  child.on('error', () => {});
  return {
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${path} ended; run it by hand to see why.`);
      return JSON.parse(value) as unknown;
    },
    close() {
      child.stdin.end();
    },
  };
}
