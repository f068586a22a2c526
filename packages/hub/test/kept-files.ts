import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { fetchFromHub, type HubOptions } from '../src/index.js';
import { COMMIT, HubServer } from './hub-server.js';

export const FILES = { 'foretoken.json': '{}', 'deep/step.onnx': 's'.repeat(5_000), 'weights.bin': 'w'.repeat(5_000) };

export let server: HubServer;
export let cacheFolder: string;
export let endpoint: string;

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'foretoken-hub-'));
  server = new HubServer(FILES);
  endpoint = await server.start();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await server.stop();
  await rm(cacheFolder, { recursive: true, force: true });
});

export const at = (...names: string[]): string => join(cacheFolder, 'models--owner--name', ...names);
export const kept = (file: string): string => at('snapshots', COMMIT, file);

export const fetchIt = (more: HubOptions = {}) =>
  fetchFromHub('hub:owner/name', { endpoint, cacheFolder, offline: false, ...more });

export const downloads = (): string[] =>
  server.requests.flatMap(({ url }) => (url.includes('/resolve/') ? [url.split(`${COMMIT}/`)[1]] : []));

export const expectWhole = async (): Promise<void> => {
  for (const [name, content] of Object.entries(FILES)) expect(await readFile(kept(name), 'utf8')).toBe(content);
};
