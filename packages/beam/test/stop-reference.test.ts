import type { BeamSearchOptions } from '@foretoken/beam';
import { describe, expect, it } from 'vitest';
import { PENALTIES, RULES, referenceBeam, scoreOf, search } from './reference-beam.js';

describe('when a beam search stops, against one that never does', () => {
  it('improvement-impossible: gives what the same beam gives that never stops, on 2,000 models and rules', async () => {
    let early = 0;
    for (let seed = 1; seed <= 2000; seed++) {
      const score = scoreOf(seed);
      const options: BeamSearchOptions = {
        ...RULES[seed % RULES.length],
        beamSize: 1 + (Math.floor(seed / 12) % 4),
        hypotheses: 1 + (Math.floor(seed / 12) % 4),
        lengthPenalty: PENALTIES[seed % PENALTIES.length],
      };
      const found = await search(score, { ...options, stopWhen: 'improvement-impossible' });
      const expected = referenceBeam(score, options, () => false);
      const shown = `seed ${seed}`;
      expect(
        found.map(({ output }) => output),
        shown,
      ).toEqual(expected.map(({ output }) => output));
      for (const [rank, { ranked }] of found.entries()) expect(ranked, shown).toBeCloseTo(expected[rank].score, 4);
      if (referenceBeam(score, options, () => true)[0]?.output.join() !== expected[0]?.output.join()) early++;
    }
    // Stopping with a full beam would have been wrong often enough.
    expect(early).toBeGreaterThan(40);
  });
});
