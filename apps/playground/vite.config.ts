import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { folder as correction } from '@foretoken/model-english-correction';
import { folder as translation } from '@foretoken/model-multi30k-en-de';
import { folder as shakespeare } from '@foretoken/model-tinyshakespeare';
import { defineConfig, type Plugin } from 'vite';

const MODELS: Readonly<Record<string, string>> = {
  'english-correction': correction,
  'multi30k-en-de': translation,
  tinyshakespeare: shakespeare,
};

/** Puts the model folders beside the page, so that a static server is all that the playground needs. */
function modelFolders(): Plugin {
  let outDir = 'dist';
  return {
    name: 'model-folders',
    apply: 'build',
    configResolved({ root, build }) {
      outDir = resolve(root, build.outDir);
    },
    async closeBundle() {
      for (const [name, folder] of Object.entries(MODELS)) {
        await cp(folder, join(outDir, 'models', name), { recursive: true });
      }
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  // Any folder of any server will do.
  base: './',
  resolve: { conditions: ['foretoken-source', 'browser', 'module', 'import', 'default'] },
  build: {
    outDir: 'dist',
    target: 'es2022',
    chunkSizeWarningLimit: 20_000,
    emptyOutDir: true,
    rolldownOptions: { input: ['index.html', 'replay.html'] },
  },
  worker: { format: 'es' },
  plugins: [modelFolders()],
});
