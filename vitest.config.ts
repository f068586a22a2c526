import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['foretoken-source', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['foretoken-source', 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'docs/test/**/*.test.ts'],
    testTimeout: 30_000,
    reporters: ['default', ['json', { outputFile: 'node_modules/.cache/vitest.json' }]],
    pool: 'forks',
  },
});
