import { defineConfig } from 'vite';

/** Builds the recorder for Node, from sources. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['foretoken-source', 'node', 'module', 'import', 'default'] },
  ssr: {
    noExternal: [/^@foretoken\//],
    external: ['onnxruntime-node', 'onnxruntime-common'],
    resolve: { conditions: ['foretoken-source', 'node', 'module', 'import', 'default'] },
  },
  build: {
    ssr: 'scripts/record.ts',
    outDir: 'node_modules/.cache/record',
    emptyOutDir: true,
    target: 'node20',
  },
});
