import { checkOptions } from '@foretoken/core/kit';
import {
  assertTarget,
  type CtcManifest,
  type FileLocation,
  filePath,
  type ManifestContent,
  type ModelManifest,
  onnxruntimeNode,
} from '@foretoken/models/internal';
import { nameOf } from '../../name-of.js';
import { heading } from '../../target-options.js';
import { writeModel } from '../../write-model.js';
import { filesWithGraphs, readExport } from '../read-export.js';
import { CTC_OPTIONS, type CtcImportOptions } from './ctc-options.js';
import { probeCtc } from './ctc-probe.js';
import { readCtcSignature } from './ctc-signature.js';
import { fitLabels } from './fit-labels.js';
import { readLabels } from './labels.js';
import { dictionaryBeside, locateGraph } from './locate-graph.js';
import { readSound } from './read-sound.js';

const GRAPH = 'scores.onnx';
const SYMBOLS = 'symbols.json';
const MAX_CANDIDATES = 256;

/**
 * Makes a model folder at `target` of a CTC graph, as others export them: speech, handwriting, text in images. It lies in a file, or in
 * a folder, a package or a repository of the hub (`hub:owner/name[@revision]`) with its dictionary and what else describes it. The graph stays
 * as it is; what its inputs, outputs and classes are is read from it and found by running it on silence and noise.
 *
 * Throws `INVALID_ARGUMENT` where the dictionary or what is told does not fit, `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`,
 * `RUNTIME_FAILURE`, and the signal's reason.
 */
export async function importCtcModel(
  graph: FileLocation,
  target: FileLocation,
  options: CtcImportOptions = {},
): Promise<ModelManifest> {
  const told = checkOptions('importCtcModel', options, CTC_OPTIONS);
  const { signal, replace = false } = told;
  signal?.throwIfAborted();
  await assertTarget(target, replace);
  const location = filePath('graph', graph);
  const located = await locateGraph(location, told.precision, signal);
  const dictionary = told.dictionary ?? (await dictionaryBeside(located));
  const exported = await readExport(located.file, signal);
  const signature = readCtcSignature(exported, told);
  const labels = await readLabels({ ...told, dictionary }, signature.outputs.scores.dims.at(-1) ?? null);
  const sound = await readSound(located.folders, signature, { ...told, dictionary });
  signal?.throwIfAborted();
  const probe = await probeCtc(exported, signature, told, await onnxruntimeNode());
  const { symbols, blankId } = fitLabels(labels, probe, told);
  const { classes, layout, values, batches, stride } = probe;
  const manifest: ManifestContent<CtcManifest> = {
    ...heading({ ...told, name: told.name ?? nameOf(location).replace(/\.onnx$/i, '') }),
    family: 'ctc',
    tokenizer: { symbols: SYMBOLS },
    vocabulary: { size: classes },
    limits: { sourceLength: 65_536, targetLength: 65_536 },
    graphs: { scores: GRAPH },
    inputs: signature.inputs,
    outputs: signature.outputs,
    frames: {
      dims: signature.dims,
      maxLength: told.maxLength ?? (signature.dims.length === 1 ? 2 ** 22 : 2 ** 14),
      layout,
      values,
      batches,
      stride,
    },
    sound,
    ctc: { blankId, maxCandidates: Math.min(MAX_CANDIDATES, classes) },
  };
  const files = filesWithGraphs([[GRAPH, exported]], new Map([[SYMBOLS, JSON.stringify(symbols)]]));
  return writeModel(target, { manifest, files }, told);
}
