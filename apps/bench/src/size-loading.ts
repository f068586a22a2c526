import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { shippedModelFolder } from './bench-model.js';
import { bundle, WORKSPACE } from './size-bundles.js';

/** Loads a folder as a page would, and prints which modules `import()` was called for. */
const program = (web: string): string => `
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as runtime from 'onnxruntime-node';
import { loadModel, memoryFolder } from ${JSON.stringify(web)};

const folder = process.argv[2];
const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
const paths = names.map(({ parentPath, path, name }) => join(parentPath ?? path, name));
const files = new Map(await Promise.all(paths.map(async (path) => [path.slice(folder.length + 1), new Uint8Array(await readFile(path))])));
const model = await loadModel(memoryFolder(files), { runtime });
const kinds = [...new Set(model.description.parts.map(({ kind }) => kind))];
await model.dispose();
const whole = await loadModel(memoryFolder(files), { runtime, probe: false, open: kinds.filter((kind) => kind !== 'languageModel') });
await whole.dispose();
process.stdout.write(JSON.stringify(globalThis.loadedModules));
`;

/** The modules that `@foretoken/models` loads by `import()` while the shipped folder is loaded: a fresh process does it, and says so. */
export async function chunksLoaded(): Promise<readonly string[]> {
  const chunks = await bundle({
    program: program(join(WORKSPACE, 'packages/models/src/web.ts')),
    external: (id) => /^(?:node:|onnxruntime-)/.test(id),
    banner: ({ isDynamicEntry, facadeModuleId }) =>
      isDynamicEntry ? `(globalThis.loadedModules ??= []).push(${JSON.stringify(facadeModuleId)});` : '',
  });
  // Where ONNX Runtime is found from.
  const folder = join(WORKSPACE, 'packages/models/node_modules/.cache', `sizes-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    for (const { fileName, code } of chunks) await writeFile(join(folder, fileName), code);
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const entry = chunks.find(({ isEntry }) => isEntry)?.fileName as string;
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, entry), shippedModelFolder()]);
    return JSON.parse(stdout) as readonly string[];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
