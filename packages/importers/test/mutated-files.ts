import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { expect } from 'vitest';
import { importModel, inspectWeights } from '../src/index.js';

/** The same numbers for the same seed. */
export function picker(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

/** Holds that `weights`, with so many mutated contents of one `file` of them, are read or refused by code and with a file. */
export async function expectReadOrRefused(
  weights: string,
  file: string,
  mutated: (seed: number) => Uint8Array,
  { read = inspectWeights, times = 500 }: { read?: (weights: string) => Promise<unknown>; times?: number } = {},
): Promise<void> {
  let refused = 0;
  for (let seed = 1; seed <= times; seed++) {
    await writeFile(file, mutated(seed));
    try {
      // Every twentieth is imported as a whole.
      if (seed % 20 === 0) await importModel(weights, join(dirname(file), `out-${seed}`));
      else await read(weights);
    } catch (error) {
      refused++;
      if (!(error instanceof ForetokenError)) throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      expect(['INVALID_MODEL_FOLDER', 'UNSUPPORTED_MODEL'], `seed ${seed}`).toContain(error.code);
      expect(error.details.file, `seed ${seed}: ${error.message}`).toBeDefined();
    }
  }
  expect(refused).toBeGreaterThan(100);
  expect(refused).toBeLessThan(times);
}
