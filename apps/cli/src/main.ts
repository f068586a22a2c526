#!/usr/bin/env node
import { EXIT } from './errors.js';
import { OUTPUT_LOST, untilAborted } from './io.js';
import { run } from './run.js';
import { RESTORE } from './terminal/live-region.js';
import { standardInput } from './text-files.js';

const controller = new AbortController();
let readerGone = false;
let outputFailed = false;
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
    controller.abort(OUTPUT_LOST);
    if (error.code === 'EPIPE') {
      // `foretoken decode | head` is not a mistake: stop, and say nothing.
      readerGone = true;
      return;
    }
    if (outputFailed) return;
    outputFailed = true;
    process.exitCode = EXIT.failure;
    if (stream === process.stdout)
      process.stderr.write(`error: Standard output cannot be written: ${error.message}.\n`);
  });
}

const { signal } = controller;
const [stdout, stderr] = [process.stdout, process.stderr].map((stream) => untilAborted(stream, signal));
const stdin = standardInput();
const result = await run(process.argv.slice(2), { stdin, stdout, stderr, env: process.env, signal });
if (outputFailed) process.exitCode = EXIT.failure;
// What had failed before stays a failure, whoever reads of it.
else if (result !== EXIT.interrupted) process.exitCode = result;
else process.exitCode = readerGone ? EXIT.ok : code;
// A standard input that nobody closes must not keep the process alive.
stdin.destroy();
// Nor must a reader that does not read what was written before an interruption.
if (signal.aborted && process.stdout.writableLength + process.stderr.writableLength > 0) process.exit();
