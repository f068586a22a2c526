import { expect, it } from 'vitest';
import { Totals } from '../src/decode-piece.js';

it('statistics of pieces are summed, field by field', () => {
  const totals = new Totals();
  expect(totals.statistics).toEqual({ forwards: 0, tokens: 0, totalMs: 0 });
  totals.add({ forwards: 1, tokens: 2, totalMs: 4 });
  expect(totals.statistics).toEqual({ forwards: 1, tokens: 2, totalMs: 4 });
  const speculation = { draftForwards: 8, proposed: 16, evaluated: 32, accepted: 64 };
  for (let times = 0; times < 2; times++) totals.add({ forwards: 10, tokens: 20, totalMs: 40, speculation });
  expect(totals.statistics).toEqual({
    forwards: 21,
    tokens: 42,
    totalMs: 84,
    speculation: { draftForwards: 16, proposed: 32, evaluated: 64, accepted: 128 },
  });
});
