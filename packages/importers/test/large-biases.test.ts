import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeBatch } from '@foretoken/core/kit';
import { loadModel } from '@foretoken/models';
import { describe, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { SOURCES, weightsOf } from '../../models/test/student-fixtures.js';
import { foldableBiases } from '../src/architectures/marian/fold-biases.js';
import { importModel } from '../src/index.js';
import type { WeightPrecision } from '../src/tensors/weight-precision.js';
import { editTensor } from './import-fixtures.js';

vi.mock('../src/architectures/marian/fold-biases.js', { spy: true });

const BIAS = 'model.decoder.layers.0.fc2.bias';

/** Logits after the start of each source. */
async function logitsOf(folder: string): Promise<Float32Array> {
  await using model = await loadModel(folder, { probe: false });
  const part = model.part('autoregressive');
  await using forest = await part.open(SOURCES);
  const nodes = new NodeBatch();
  for (const row of SOURCES.keys()) {
    const { node, prefix } = forest.start(row);
    nodes.addChain(row, node, prefix, 'last');
  }
  const { logits } = await forest.extend(nodes, { kind: 'logits' });
  return logits;
}

describe('closing biases of a Marian model', () => {
  test('are folded into the normalisation before them where they are of ordinary size', async () => {
    const target = join(await temporaryFolder(), 'model');
    await importModel(await weightsOf('marian'), target);
    const foldable = await vi.mocked(foldableBiases).mock.results.at(-1)?.value;
    expect(foldable).toContain(BIAS);
    expect(foldable?.size).toBeGreaterThan(3);
  });

  test.each([300, 70_000])('of %i cost no digits, whatever the weights are stored as', async (size) => {
    const parent = await temporaryFolder();
    const source = join(parent, 'source');
    await cp(await weightsOf('marian'), source, { recursive: true });
    await editTensor(source, BIAS, (values) => values.fill(size, 0, 1));
    const imported = async (name: string, weights: WeightPrecision, folding: boolean): Promise<Float32Array> => {
      const target = join(parent, `${name}-${weights}`);
      if (!folding) vi.mocked(foldableBiases).mockResolvedValueOnce(new Set());
      await importModel(source, target, { weights });
      return logitsOf(target);
    };
    const right = await imported('unfolded', 'float32', false);
    const error = (logits: Float32Array): number =>
      Math.sqrt(logits.reduce((sum, logit, index) => sum + (logit - right[index]) ** 2, 0) / logits.length);
    expect(error(await imported('own', 'float32', true))).toBeLessThan(1e-6);
    for (const weights of ['float16', 'int8', 'int4'] as const) {
      const unfolded = error(await imported('unfolded', weights, false));
      const own = error(await imported('own', weights, true));
      // Folded, errors are up to 19 times as large.
      expect(own, weights).toBeLessThan(1.4 * unfolded);
    }
  });
});
