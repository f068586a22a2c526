import { existsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { rebuildExport } from '@foretoken/importers';
import { type LoadedModel, loadModel } from '@foretoken/models';
import { flickr2016 } from '../test-sets.js';
import type { ModelFigures, ModelRow } from './model-row.js';
import { inOwnCache } from './own-cache.js';
import { medianOf, ownEngine, peerEngine, type TimedDecode } from './timed-engines.js';

const SENTENCES = 60;
/** Sentences before those that are timed. */
const WARMING = 5;
const NEW_TOKENS = 99;
/** Written by `data/models/make_teacher_export.py`. */
const FOLDER = 'teacher';

/** Which graphs of an export are decoded with. */
type Graphs = 'as they come' | 'merged alone' | 'built anew';

/** An Optimum export of the repository's own translation model against transformers.js on the same files, sentence by sentence. */
export const teacherExport: ModelRow = row('teacher-export', 'as they come');
/** The same where the folder has no pair of graphs for the first step and the others. */
export const teacherExportMerged: ModelRow = row('teacher-export-merged', 'merged alone');
/** The same by graphs built anew of its weights. */
export const teacherExportImproved: ModelRow = row('teacher-export-improved', 'built anew');

function row(model: string, graphs: Graphs): ModelRow {
  return {
    model,
    format: 'onnx, Optimum',
    oracle: 'transformers.js, greedy, fp32, one thread',
    packages: [],
    required: { equal: 1 },
    missing: missingPart,
    measure: () => inOwnCache((scratch) => measure(graphs, scratch)),
  };
}

/** The folder of the peers. */
const peers = (): string => process.env.FORETOKEN_PEERS ?? '';

/** Why nothing can be measured. */
function missingPart(): string | undefined {
  if (peers() === '') return 'FORETOKEN_PEERS names no folder that data/models/make_teacher_export.py wrote';
  const part = [FOLDER, 'node_modules/@huggingface/transformers'].find((name) => !existsSync(join(peers(), name)));
  if (part === undefined) return undefined;
  return `${join(peers(), part)} is not there; data/models/make_teacher_export.py says how it is made`;
}

async function measure(graphs: Graphs, scratch: string): Promise<ModelFigures> {
  const model = await open(graphs, scratch);
  const { endTokenId } = model.part('autoregressive').vocabulary;
  const { sources } = await flickr2016();
  const inputs = sources.slice(0, SENTENCES).map((text) => model.tokenizer?.encode(text) ?? Int32Array.of());
  const own = ownEngine('foretoken', model);
  const peer = peerEngine('transformers.js', [peers(), 'transformers.js', FOLDER, 'fp32', '1']);
  const times = new Map<string, TimedDecode[]>([own, peer].map(({ name }) => [name, []]));
  let equal = 0;
  try {
    for (const source of inputs) {
      const outputs: string[] = [];
      for (const { name, decode } of [own, peer]) {
        const decoded = await decode([...source], NEW_TOKENS);
        times.get(name)?.push(decoded);
        // Ours ends before the end token, the other's with it.
        outputs.push(decoded.tokenIds.filter((id) => id !== endTokenId).join());
      }
      if (outputs[0] === outputs[1]) equal++;
    }
  } finally {
    await own.close();
    peer.close();
  }
  const timed = (name: string): readonly TimedDecode[] => (times.get(name) ?? []).slice(WARMING);
  const ratio = (time: 'seconds' | 'processorSeconds'): number =>
    medianOf(timed('transformers.js').map((decode, at) => decode[time] / timed('foretoken')[at][time]));
  const milliseconds = Object.fromEntries(
    [own, peer].map(({ name }) => [name, 1000 * medianOf(timed(name).map((decode) => decode.processorSeconds))]),
  );
  return {
    family: model.manifest.family,
    equal: equal / inputs.length,
    speedOverOracle: ratio('processorSeconds'),
    details: { cases: inputs.length, processorMillisecondsOfSentence: milliseconds, byClock: ratio('seconds') },
  };
}

async function open(graphs: Graphs, scratch: string): Promise<LoadedModel> {
  const folder = join(scratch, FOLDER);
  await cp(join(peers(), FOLDER), folder, { recursive: true });
  if (graphs === 'merged alone') {
    for (const name of ['decoder_model', 'decoder_with_past_model']) await rm(join(folder, 'onnx', `${name}.onnx`));
  }
  const improveGraph = graphs === 'built anew' && rebuildExport;
  const model = await loadModel(folder, { threads: 1, probe: false, improveGraph });
  const improved = model.description.facts.find(([name]) => name === 'improved graphs')?.[1];
  if (improveGraph === false || improved?.startsWith('built') === true) return model;
  await model.dispose();
  throw new Error(`${folder}: ${improved}`);
}
