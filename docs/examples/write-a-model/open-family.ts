import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { greedy } from '@foretoken/greedy';
import { loadModel, registerFamily } from '@foretoken/models';
import { type ManifestContent, writeModelFolder } from '@foretoken/models/folder';
import { nat } from '@foretoken/one-shot';
import { speculative } from '@foretoken/speculative';
import { type DigitsManifest, digitsFamily } from './digits-family.ts';
import { oneShotDrafter } from './one-shot-drafter.ts';
import { MAX_DIGITS, VOCABULARY } from './task.ts';

registerFamily(digitsFamily);

// A folder: what it is, and its files. Sizes and digests are added, and every file is checked whenever it is loaded.
const content: ManifestContent<DigitsManifest> = {
  format: 'foretoken-model',
  formatVersion: 1,
  name: 'digits-in-words',
  description: 'The two models of a textbook',
  licence: 'Apache-2.0',
  family: 'digits',
  vocabulary: VOCABULARY,
  limits: { sourceLength: MAX_DIGITS, targetLength: MAX_DIGITS + 2 },
  graphs: { rnn: 'rnn.onnx', fill: 'fill.onnx' },
};
const exported = (name: string) => readFile(fileURLToPath(new URL(`model/${name}`, import.meta.url)));
const work = await mkdtemp(join(tmpdir(), 'digits-'));
const folder = join(work, 'model');
await writeModelFolder(
  folder,
  content,
  new Map([
    ['rnn.onnx', await exported('rnn.onnx')],
    ['fill.onnx', await exported('fill.onnx')],
  ]),
);

// From here on it is a model as any other.
const model = await loadModel(folder);
const drafter = oneShotDrafter(model.part('canvas'));
export const said = {
  greedy: await model.decode('1 2 3', greedy()),
  atOnce: await model.decode('1 2 3', nat()),
  checked: await model.decode('1 2 3', speculative({ drafter })),
};
for (const [name, { text, statistics }] of Object.entries(said)) console.log(name, text, statistics.forwards);
await model.dispose();
await rm(work, { recursive: true });
