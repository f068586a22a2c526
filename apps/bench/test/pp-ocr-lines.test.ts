import { expect, it } from 'vitest';
import { ppOcr } from '../src/models/pp-ocr.js';
import type { LineReadings } from '../src/models/pp-ocr-lines.js';
import { measureModel } from '../src/models-bench.js';

it('blurred lines are read no worse by prefix beam search than by the best path, and better with n-grams of characters', async ({
  skip,
}) => {
  const { skipped, details } = await measureModel(ppOcr);
  skip(skipped !== undefined, skipped);
  expect(details).toBeDefined();
  const { blurred } = details as { readonly blurred: LineReadings };
  const { lines, equalToRapidOcr, greedy, prefixBeam, withCharacters } = blurred;
  expect(equalToRapidOcr).toBe(lines);
  expect(prefixBeam.exact).toBeGreaterThanOrEqual(greedy.exact);
  expect(prefixBeam.characterErrorRate).toBeLessThanOrEqual(greedy.characterErrorRate);
  expect(withCharacters.exact).toBeGreaterThan(greedy.exact);
  expect(withCharacters.characterErrorRate).toBeLessThan(greedy.characterErrorRate);
});
