import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { afterEach, beforeEach, expect } from 'vitest';
import { externalTensor, field, onnx } from '../../models/test/onnx-fixtures.js';
import type { HubOptions } from '../src/index.js';
import { HubServer } from './hub-server.js';

export let server: HubServer;

export let cacheFolder: string;

let endpoint: string;

export const open = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<void> => {
  server = new HubServer(files);
  endpoint = await server.start();
};

/** A graph that keeps weights in these files, eight bytes in each; its name makes it another than the rest. */
export const graphOf = (name: string, ...locations: readonly string[]): Uint8Array =>
  onnx(
    locations.map((location) => field(5, externalTensor(location))),
    [field(2, name)],
  );

export const options = (more: HubOptions = {}): HubOptions => ({ endpoint, cacheFolder, offline: false, ...more });

export const refusal = async (run: Promise<unknown>): Promise<ForetokenError> => {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ForetokenError);
  return error as ForetokenError;
};

export const downloads = (): string[] =>
  server.requests.map(({ url }) => url).filter((url) => url.includes('/resolve/'));

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'foretoken-hub-'));
});

afterEach(async () => {
  await server.stop();
  await rm(cacheFolder, { recursive: true, force: true });
});
