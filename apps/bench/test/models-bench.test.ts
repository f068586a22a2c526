import { familyNames } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import type { ModelRow } from '../src/models/model-row.js';
import { MODEL_ROWS } from '../src/models/model-rows.js';
import { measureModel } from '../src/models-bench.js';
import { realModel } from '../src/real-models.js';

describe('models by third parties', () => {
  it('have names of their own, and packages that are listed', () => {
    expect(new Set(MODEL_ROWS.map(({ model }) => model)).size).toBe(MODEL_ROWS.length);
    for (const name of MODEL_ROWS.flatMap(({ packages }) => packages)) {
      expect(JSON.stringify(realModel(name))).not.toContain('lists no package');
    }
  });

  it('are skipped with the reason where a package is not there', async () => {
    const row: ModelRow = {
      model: 'none',
      format: 'none',
      oracle: 'none',
      packages: ['no-such-package'],
      required: { equal: 1 },
      measure: () => Promise.reject(new Error('measured all the same')),
    };
    const { measure, packages, required, ...told } = row;
    expect(await measureModel(row)).toEqual({ ...told, skipped: 'real-models.json lists no package no-such-package' });
  });

  for (const row of MODEL_ROWS) {
    it(`${row.model} gives what ${row.oracle} gives`, async ({ skip }) => {
      const report = await measureModel(row);
      skip(report.skipped !== undefined, report.skipped);
      expect(familyNames()).toContain(report.family);
      expect(report.equal).toBeGreaterThanOrEqual(row.required.equal);
      if (row.required.worstLogitDifference === undefined) return;
      expect(report.worstLogitDifference).toBeLessThanOrEqual(row.required.worstLogitDifference);
    });
  }
});
