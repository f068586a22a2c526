/**
 * Builds the model folder of packages/model-english-correction from an export folder, in one step:
 *
 *     node build-correction-model.mjs runs/corrector-export
 *
 * The export folder has `teacher`, and `ctc` and `edit` where those students are to be in it. The command line must be built.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAX_BYTES = 12_000_000;
const here = fileURLToPath(new URL('.', import.meta.url));
const exported = process.argv[2] && resolve(process.argv[2]);
if (exported === undefined || !existsSync(join(exported, 'teacher'))) {
  console.error('Name an export folder that holds teacher (see export_model.py).');
  process.exit(2);
}
const out = resolve(process.argv[3] ?? join(here, '../../packages/model-english-correction/model'));
// Removed first, so that its files have plain names.
rmSync(out, { recursive: true, force: true });
const students = ['ctc', 'ctc-fast', 'edit'].filter((part) => existsSync(join(exported, part)));
const options = [
  ...students.flatMap((part) => [`--${part}`, join(exported, part)]),
  '--out', out, '--name', 'english-correction', '--licence', 'Apache-2.0',
  '--description', 'Corrects English text: spelling, casing, punctuation, spacing.',
];
const cli = join(here, '../cli/dist/main.js');
const { status } = spawnSync(process.execPath, [cli, 'import', join(exported, 'teacher'), ...options], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
const bytes = readdirSync(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
console.log(`${(bytes / 1e6).toFixed(1)} MB, with ${['teacher', ...students].join(', ')}`);
if (bytes > MAX_BYTES) {
  console.error(`The package may have ${MAX_BYTES / 1e6} MB at most: leave a student out.`);
  process.exit(1);
}
