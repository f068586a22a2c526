import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { type CtcInput, type CtcOutput, type FloatSource, type LoadedModel, loadModel } from '@foretoken/models';
import { afterAll, beforeAll, expect } from 'vitest';
import type { CtcImportOptions } from '../src/adapters/ctc/ctc-options.js';
import { importCtcModel } from '../src/index.js';
import { type CtcFixture, writeCtcGraph } from './ctc-fixture.js';

export type CtcModel = LoadedModel<CtcInput, CtcOutput, FloatSource>;

export const LABELS = ['a', 'b', 'c', 'd', 'e'];

const before = openSessions();

export let folder: string;

let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-ctc-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  expect(openSessions()).toBe(before);
});

export async function imported(fixture: CtcFixture, options: Partial<CtcImportOptions> = {}) {
  const target = join(folder, `model-${count++}`);
  const graph = await writeCtcGraph(folder, fixture);
  const manifest = await importCtcModel(graph, target, { dictionary: LABELS, space: 'none', ...options });
  return { target, manifest: manifest as unknown as Record<string, never>, graph };
}

export const load = (target: string): Promise<CtcModel> => loadModel<CtcInput, CtcOutput, FloatSource>(target);

export async function refusal(fixture: CtcFixture, options: Partial<CtcImportOptions>): Promise<ForetokenError> {
  const error: unknown = await imported(fixture, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!ForetokenError.isInstance(error)) throw error ?? new Error('was imported');
  return error;
}

export async function fileOf(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}
