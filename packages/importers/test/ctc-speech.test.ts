import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FloatSource } from '@foretoken/models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { beforeAll, describe, expect, it } from 'vitest';
import { normalised } from '../../models/src/audio/normalised.js';
import { importCtcModel } from '../src/index.js';
import { folder, load } from './ctc-folders.js';

/** What transformers hears with `goldens/wav2vec2`, which `apps/distill/make_ctc_export_fixtures.py` made. */
interface Expected {
  readonly rows: readonly {
    readonly length: number;
    readonly frames: number;
    readonly tokenIds: readonly number[];
    readonly text: string;
    readonly logProbs: readonly number[];
  }[];
  readonly best: readonly { readonly tokenIds: readonly number[]; readonly logProb: number }[];
}

const EXPORT = fileURLToPath(new URL('goldens/wav2vec2/', import.meta.url));
const { rows, best } = JSON.parse(await readFile(join(EXPORT, 'expected.json'), 'utf8')) as Expected;
const SPECIAL = /<s>|<\/s>|\[unk\]/g;

/** The sounds of that script. */
const sounds = rows.map(({ length }, row) =>
  Float32Array.from(
    { length },
    (_, at) => 0.2 + 0.05 * Math.sin(0.7 * (row + 1) * at) + 0.05 * Math.sin(0.011 * at * at),
  ),
);

let target: string;

beforeAll(async () => {
  target = join(folder, 'speech');
  await importCtcModel(join(EXPORT, 'model.onnx'), target, { dictionary: join(EXPORT, 'vocab.json') });
});

describe('an export of wav2vec2', () => {
  it('hears what transformers hears, alone and in a batch of sounds of other lengths', async () => {
    await using model = await load(target);
    expect(model.manifest).toMatchObject({ sound: { sampleRate: 16_000, normalised: true } });
    const together = await model.decode(sounds, ctcGreedy<FloatSource>());
    for (const [row, { tokenIds, text }] of rows.entries()) {
      const alone = await model.decode(sounds[row], ctcGreedy<FloatSource>());
      for (const found of [together[row], alone]) {
        expect([...found.tokenIds]).toEqual(tokenIds);
        expect(found.text).toBe(text.replace(SPECIAL, '').trim());
      }
    }
    const lattices = await model.part('lattice').emit(
      sounds.map((samples) => ({ values: normalised(samples), dims: [samples.length] })),
      { k: 9 },
    );
    for (const [row, { frames, logProbs }] of rows.entries()) {
      const lattice = lattices[row];
      if (lattice.kind !== 'ctc') throw new Error('no CTC lattice');
      expect(lattice.frames).toBe(frames);
      for (let place = 0; place < 9; place++) {
        expect(Math.abs(lattice.logProbs[place] - logProbs[lattice.tokenIds[place]])).toBeLessThan(1e-4);
      }
    }
  });

  it('has the most probable outputs that the sum over all alignments has', async () => {
    await using model = await load(target);
    const search = ctcPrefixBeam<FloatSource>({ hypotheses: best.length, beamSize: 512, candidates: 9 });
    const { hypotheses } = await model.decode(sounds[2], search);
    expect(hypotheses.map(({ tokenIds }) => [...tokenIds])).toEqual(best.map(({ tokenIds }) => tokenIds));
    for (const [place, { logProb = Number.NaN }] of hypotheses.entries()) {
      expect(Math.abs(logProb - best[place].logProb)).toBeLessThan(1e-4);
    }
  });
});
