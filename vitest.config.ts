import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['foretoken-source', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['foretoken-source', 'node', 'import', 'default'] } },
  test: {
    include: ['{packages,apps}/*/test/**/*.test.ts', 'docs/{test,examples}/**/*.test.ts'],
    setupFiles: ['./vitest.setup.ts'],
    // A net for what hangs, far above what any test takes on a machine that is busy with other things. No test asserts a time.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    // One for each core: by default one core is left idle, which on two cores is half of them.
    maxWorkers: '100%',
  },
});
