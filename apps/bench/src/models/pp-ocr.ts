import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importCtcModel } from '@foretoken/importers';
import { type CtcInput, type CtcOutput, type FloatSource, loadModel } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { modelGoldens } from '../real-models.js';
import { type GreyCrop, stripOf } from './grey-crop.js';
import type { ModelRow } from './model-row.js';
import { speedOverPackage } from './package-speed.js';
import { readLines } from './pp-ocr-lines.js';

/** A crop, and what rapidocr reads in it. */
interface Crop extends GreyCrop {
  readonly text: string;
  readonly confidence: number;
}

const PARTS = 'both: grey values to strips, the graph, the best path and its text';

/** Where PP-OCR's graph and dictionary lie. */
const ppOcrFiles = (folder: string): { readonly graph: string; readonly dictionary: string } => ({
  graph: join(folder, 'package/assets/ch_PP-OCRv4_rec_infer.onnx'),
  dictionary: join(folder, 'package/assets/ppocr_keys_v1.txt'),
});

/** PP-OCRv4 recognition: texts, and confidences as rapidocr computes them, the mean over tokens at their first frames. */
export const ppOcr: ModelRow = {
  model: 'pp-ocr-v4-recognition',
  format: 'onnx',
  oracle: 'rapidocr-onnxruntime 1.4.4',
  packages: ['pp-ocr'],
  required: { equal: 1, worstLogitDifference: 1e-3 },
  async measure({ folders }) {
    const { graph, dictionary } = ppOcrFiles(folders['pp-ocr']);
    const crops = modelGoldens('pp-ocr') as readonly Crop[];
    const parent = await mkdtemp(join(tmpdir(), 'foretoken-pp-ocr-'));
    try {
      await importCtcModel(graph, join(parent, 'model'), { dictionary, space: 'last' });
      await using model = await loadModel<CtcInput, CtcOutput, FloatSource>(join(parent, 'model'), { threads: 1 });
      const strips = crops.map(stripOf);
      const results = await model.decode(strips, ctcGreedy<FloatSource>({ alignments: true }));
      const lattices = await model.part('lattice').emit(strips);
      let equal = 0;
      let worst = 0;
      for (const [index, { text, confidence }] of crops.entries()) {
        const lattice = lattices[index];
        const first = results[index].alignment?.firstFrames ?? new Int32Array();
        if (results[index].text !== text || lattice.kind !== 'ctc') continue;
        equal++;
        const own = first.reduce((sum, frame) => sum + Math.exp(lattice.logProbs[frame]), 0) / first.length;
        worst = Math.max(worst, Math.abs(own - confidence));
      }
      const timed = await speedOverPackage('pp-ocr', folders['pp-ocr'], PARTS, async () => {
        for (const crop of crops) await model.decode(stripOf(crop), ctcGreedy<FloatSource>());
      });
      const details = { cases: crops.length, blurred: await readLines(model), ...timed.details };
      return {
        family: model.manifest.family,
        ...timed,
        equal: equal / crops.length,
        worstLogitDifference: worst,
        details,
      };
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  },
};
