import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GraphBuilder } from '../src/graphs/graph-builder.js';
import { WeightStore } from '../src/graphs/weight-store.js';

/** Labels of the graph, the blank first. */
export const SOUND_LABELS = ['<blank>', 'a', 'b', 'c', 'd'];
/** The sample at which the graph hears each class. */
const LEVELS = [0, 0.72, -0.64, 1.62, -1.55];
const SHARPNESS = 40;

/**
 * Samples that the graph hears as `aab`, and as `abcd` where they were scaled to the mean 0 and the variance 1: transformers' extractor
 * makes 0.7176, -0.6421, 0.0378, -0.1888, 1.6241, -1.5485 of them (`Wav2Vec2FeatureExtractor()`, 4.57.6).
 */
export const SAMPLES = [0.5, -0.25, 0.125, 0, 1, -0.75];
export const SCALED = [0.71761996, -0.64208096, 0.03776947, -0.18884735, 1.6240872, -1.5485484];

/** A CTC graph over samples of sound, a frame a sample, that hears the class whose level is the nearest. */
export async function writeSoundGraph(folder: string): Promise<string> {
  const graph = new GraphBuilder(new WeightStore('float32'), 'none.bin');
  const classes = LEVELS.length;
  const samples = graph.input('input_values', 'float32', ['batch', 'time']);
  const frames = graph.op('Unsqueeze', [samples, graph.constant('int64', [1], [2])]);
  const slopes = LEVELS.map((level) => SHARPNESS * level);
  const offsets = LEVELS.map((level) => (-SHARPNESS * level * level) / 2);
  const product = graph.op('MatMul', [frames, graph.constant('float32', [1, classes], slopes)]);
  graph.op('Add', [product, graph.constant('float32', [classes], offsets)], {}, { name: 'logits' });
  graph.output('logits', 'float32', ['batch', 'time', classes]);
  const file = join(folder, 'model.onnx');
  await writeFile(file, graph.build('ctc'));
  return file;
}
