import { ForetokenError } from '@foretoken/core';
import * as runtime from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { ExportSteps } from '../src/families/onnx-export/export-driver.js';
import { decoderRoles } from '../src/families/onnx-export/export-roles.js';
import { assertPositions } from '../src/families/onnx-export/position-probe.js';
import { loadModel } from '../src/index.js';
import { exportCopy } from './export-folders.js';
import { edit } from './export-refusal.js';
import { refusal } from './folder-fixtures.js';

const SIZE = 5;
const value = (type: string, ...dims: (number | null)[]) => ({ type, dims });

/** A decoder of so many positions, which fails behind them, or gives nothing; its cache has so many numbers a token. */
function decoderOf(positions: number, behind: 'fails' | 'gives nothing', numbers = 2) {
  const roles = decoderRoles({
    file: 'model.ort',
    inputs: {
      input_ids: value('int64', null, null),
      'past_key_values.0.key': value('float32', null, 1, null, numbers),
    },
    outputs: { logits: value('float32', null, null, SIZE), 'present.0.key': value('float32', null, 1, null, numbers) },
  });
  const counts = { runs: 0 };
  const steps: ExportSteps = {
    runtime,
    session: async () => ({
      inputType: (name) => (name === 'input_ids' ? 'int64' : 'float32'),
      async run({ 'past_key_values.0.key': past }) {
        counts.runs++;
        const total = past.dims[2] + 1;
        if (total > positions && behind === 'fails') throw new ForetokenError('RUNTIME_FAILURE', 'no row', {});
        const columns = total > positions ? 0 : 1;
        return {
          logits: new runtime.Tensor('float32', new Float32Array(columns * SIZE), [1, columns, SIZE]),
          'present.0.key': new runtime.Tensor('float32', new Float32Array(total * numbers), [1, 1, total, numbers]),
        };
      },
    }),
    begin: roles,
    goOn: roles,
    vocabularySize: SIZE,
    suppressed: [],
    chains: true,
    maxLanes: 2,
    maskPlaces: 'states',
  };
  return { steps, counts };
}

describe('positions that only a config says', () => {
  it.each(['fails', 'gives nothing'] as const)(
    'are tried at the last: a decoder that %s behind its own is refused with their number',
    async (behind) => {
      for (const [own, said] of [
        [40, 41],
        [40, 5000],
        [1, 64],
        [2047, 2048],
      ]) {
        const { steps, counts } = decoderOf(own, behind);
        const error = await refusal(() => assertPositions(steps, undefined, said, undefined));
        expect(error).toMatchObject({
          code: 'INVALID_MODEL_FOLDER',
          details: { file: 'model.ort', received: said, required: own },
        });
        expect(error.message).toMatch(/Correct the config/);
        expect(counts.runs).toBeLessThan(16);
      }
    },
  );

  it('are taken where the decoder runs at the last, and where trying would take too much memory', async () => {
    const { steps, counts } = decoderOf(40, 'fails');
    await assertPositions(steps, undefined, 40, undefined);
    expect(counts.runs).toBe(2);
    const wide = decoderOf(40, 'fails', 4096);
    await assertPositions(wide.steps, undefined, 60_000, undefined);
    expect(wide.counts.runs).toBe(1);
  });

  it('are tried no more once that was given up', async () => {
    const { steps, counts } = decoderOf(40, 'fails');
    const reason = new Error('changed my mind');
    await expect(assertPositions(steps, undefined, 5000, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(counts.runs).toBe(1);
  });

  it('are those of a decoder whose positions are computed, as many as its config says', async () => {
    const folder = await exportCopy('llama');
    await edit(folder, 'config.json', (config) => ({ ...config, max_position_embeddings: 5000 }));
    await using model = await loadModel(folder, { probe: false, improveGraph: false });
    expect(model.manifest).toMatchObject({ limits: { targetLength: 5000 }, untoldPositions: true });
  });
});
