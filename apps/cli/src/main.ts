#!/usr/bin/env node
import { EXIT } from './errors.js';
import { run } from './run.js';
import { RESTORE } from './terminal/live-region.js';

const controller = new AbortController();
let readerGone = false;
let code: number = EXIT.interrupted;

for (const [signal, exitCode] of [
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    code = exitCode;
    if (controller.signal.aborted) {
      // The second time: whatever is still running will not be waited for.
      if (process.stderr.isTTY) process.stderr.write(RESTORE);
      process.exit(code);
    }
    controller.abort();
  });
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    // `foretoken decode | head` is not a mistake: stop, and say nothing.
    readerGone = true;
    controller.abort();
  });
}

const { stdin, stdout, stderr, env } = process;
const result = await run(process.argv.slice(2), { stdin, stdout, stderr, env, signal: controller.signal });
process.exitCode = readerGone ? EXIT.ok : controller.signal.aborted ? code : result;
// A standard input that nobody closes must not keep the process alive.
stdin.destroy();
