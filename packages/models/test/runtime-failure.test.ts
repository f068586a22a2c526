import { expect, it } from 'vitest';
import { runtimeFailure } from '../src/node/onnxruntime-node.js';

it.each([
  ["Cannot find package 'onnxruntime-node' imported from /app/main.mjs", /is not installed\. Run `npm i/],
  ["Cannot find module 'onnxruntime-node'", /is not installed\. Run `npm i/],
  [
    "Cannot find module '../bin/napi-v6/linux/x64/onnxruntime_binding.node'",
    /could not be loaded: .*binding\.node.*external/,
  ],
  ['libonnxruntime.so.1: cannot open shared object file', /could not be loaded: .*shared object file/],
])('tells a runtime that is missing from one that does not load: %s', (message, told) => {
  const cause = new Error(message);
  const failure = runtimeFailure(cause);
  expect(failure.code).toBe('RUNTIME_FAILURE');
  expect(failure.message).toMatch(told);
  expect(failure.cause).toBe(cause);
});
