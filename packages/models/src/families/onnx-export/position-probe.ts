import { cacheZeros, type PathBlock } from '@foretoken/core/runtime';
import { invalidFolder } from '../../folder/refusal.js';
import { ExportDriver, type ExportSteps } from './export-driver.js';
import type { SourceStates } from './export-encoder.js';
import { inputsOf, tried } from './export-probe.js';
import { ExportSources } from './export-sources.js';

/** Most numbers of a made-up cache: 64 MB. What needs a longer one is not tried. */
const MAX_NUMBERS = 2 ** 24;

/**
 * Tries whether a decoder has as many positions as only its config says: a forward at the last of them, behind a cache of zeros. Throws
 * `INVALID_MODEL_FOLDER` with the number of those that it has, `RUNTIME_FAILURE`, `DISPOSED`, or the signal's reason.
 */
export async function assertPositions(
  steps: ExportSteps,
  source: SourceStates | undefined,
  positions: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const driver = new ExportDriver(steps, source && new ExportSources(steps.runtime, [source], steps));
  try {
    const { present } = await driver.run(inputsOf([0], 1, undefined), { kind: 'argmax' });
    const each = present.parts.reduce((sum, { heads, size }) => sum + heads * size, 0);
    if (positions < 2 || each * positions > MAX_NUMBERS) return;
    const runsAt = (last: number): Promise<boolean> => {
      signal?.throwIfAborted();
      return tried(async () => {
        await driver.run(inputsOf([0], 1, zerosLike(present, last - 1)), { kind: 'argmax' });
        return true;
      });
    };
    if (await runsAt(positions)) return;
    let [runs, fails] = [1, positions];
    while (fails - runs > 1) {
      const middle = (runs + fails) >> 1;
      if (await runsAt(middle)) runs = middle;
      else fails = middle;
    }
    const { file } = steps.goOn;
    throw invalidFolder(
      `The config beside ${file} says that it has ${positions} positions, but it runs with no more than ${runs}. Correct the config, or fetch config and graphs of one model.`,
      { file, field: 'positions', received: positions, required: runs },
    );
  } finally {
    driver.dispose();
  }
}

/** A cache of so many tokens, all zeros. */
function zerosLike({ parts }: PathBlock, length: number): PathBlock {
  return {
    lanes: 1,
    length,
    parts: parts.map(({ heads, size, values }) => ({
      heads,
      size,
      values: cacheZeros(values instanceof Uint16Array ? 'float16' : 'float32', heads * length * size),
    })),
  };
}
