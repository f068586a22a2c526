import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** The codes as the type lists them. */
const codes = [...read('../../packages/core/src/contract/errors.ts').matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(
  ([, code]) => code,
);

it.each(['../guide/errors.md', '../zh/guide/errors.md'])(
  '%s explains every error code and no other, with a remedy',
  (page) => {
    const rows = [...read(page).matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$/gm)];
    expect(codes.length).toBeGreaterThan(10);
    expect(rows.map(([, code]) => code).sort()).toEqual([...codes].sort());
    for (const [, code, means, remedy] of rows) {
      expect(means?.length, code).toBeGreaterThan(8);
      expect(remedy?.length, code).toBeGreaterThan(6);
    }
  },
);
