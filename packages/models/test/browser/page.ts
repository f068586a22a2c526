import { beamSearch } from '@foretoken/beam';
import { ForetokenError } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { greedy, sampling } from '@foretoken/greedy';
import { type LoadedModel, type LoadProgress, loadModel } from '@foretoken/models';
import { ctcGreedy, ctcPrefixBeam, nat } from '@foretoken/one-shot';
import { levenshtein, maskPredict } from '@foretoken/refine';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import {
  autoregressiveConformance,
  canvasConformance,
  canvasModelConformance,
  collectOutcomes,
  editConformance,
  editModelConformance,
  latticeConformance,
  latticeModelConformance,
  type Runner,
  tokenForestConformance,
} from '@foretoken/testkit';
import { decodeSentences, type StrategyName } from './decode-sentences.js';

type Suite = (runner: Runner, model: LoadedModel) => void;

/** What the laws of all models are told. */
const lawsOf = (runner: Runner, { tokenizer }: LoadedModel) => ({
  runner,
  name: 'the model on onnxruntime-web',
  sources: ['A man rides.', 'Two dogs play in the snow.', 'A child.'].map((text) => tokenizer.encode(text)),
  tolerance: 1e-4,
});

/** Only the exact variant promises that a source's scores do not depend on the sources beside it. */
function latticesOf(lattice: 'ctc' | 'dag', variant: 'exact' | 'draft' | 'fast'): Suite {
  return (runner, model) =>
    latticeModelConformance({
      ...lawsOf(runner, model),
      createModel: () => model.part('lattice', { lattice, variant }),
      batchDependent: variant !== 'exact',
    });
}

/** The suites that run in the page, by their names. */
const SUITES: Readonly<Record<string, Suite>> = {
  greedy: (runner) => autoregressiveConformance({ runner, name: 'greedy', createDecoder: () => greedy() }),
  sampling: (runner) => autoregressiveConformance({ runner, name: 'sampling', createDecoder: () => sampling() }),
  beamSearch: (runner) =>
    autoregressiveConformance({
      runner,
      name: 'beamSearch',
      createDecoder: () => beamSearch({ beamSize: 3 }),
      search: true,
    }),
  speculative: (runner) =>
    autoregressiveConformance({
      runner,
      name: 'speculative',
      createDecoder: ({ vocabulary }) => speculative({ drafter: ngramDrafter({ vocabulary }) }),
    }),
  ctcGreedy: (runner) => latticeConformance({ runner, name: 'ctcGreedy', createDecoder: () => ctcGreedy() }),
  ctcPrefixBeam: (runner) =>
    latticeConformance({ runner, name: 'ctcPrefixBeam', createDecoder: () => ctcPrefixBeam() }),
  nat: (runner) => canvasConformance({ runner, name: 'nat', createDecoder: () => nat() }),
  maskPredict: (runner) =>
    canvasConformance({ runner, name: 'maskPredict', createDecoder: () => maskPredict({ iterations: 3 }) }),
  levenshtein: (runner) => editConformance({ runner, name: 'levenshtein', createDecoder: () => levenshtein() }),
  'token forest of the model': (runner, model) =>
    tokenForestConformance({ ...lawsOf(runner, model), createModel: () => model.part('autoregressive'), scripts: 2 }),
  'CTC lattices of the model': latticesOf('ctc', 'exact'),
  'CTC lattices of the model (draft)': latticesOf('ctc', 'draft'),
  'CTC lattices of the model (fast)': latticesOf('ctc', 'fast'),
  'DAG lattices of the model': latticesOf('dag', 'exact'),
  'canvases of the model': (runner, model) =>
    canvasModelConformance({ ...lawsOf(runner, model), createModel: () => model.part('canvas') }),
  'edits of the model': (runner, model) =>
    editModelConformance({ ...lawsOf(runner, model), createModel: () => model.part('edit') }),
};

let model: LoadedModel | undefined;

/** What a test asks of the page. */
const page = {
  suites: Object.keys(SUITES),

  /** Loads a model and tells what came of it. */
  async load(url: string, threads?: number) {
    const progress: LoadProgress[] = [];
    model = await loadModel(url, {
      probe: false,
      onProgress: (event) => progress.push(event),
      threads,
    });
    const read = progress.filter((event) => event.stage === 'read');
    return {
      threads: model.threads,
      isolated: crossOriginIsolated,
      bytes: read.at(-1)?.bytes,
      totalBytes: read.at(-1)?.totalBytes,
      cached: read.every(({ cached }) => cached),
    };
  },

  /** The error that loading ends with. */
  async refusal(url: string, abort = false) {
    const controller = new AbortController();
    const options = abort ? { signal: controller.signal, onProgress: () => controller.abort('changed my mind') } : {};
    try {
      await (await loadModel(url, options)).dispose();
      return undefined;
    } catch (error) {
      if (!ForetokenError.isInstance(error)) return { thrown: String(error) };
      return { code: error.code, message: error.message, reason: error.details.reason };
    }
  },

  async conformance(suite: string) {
    const outcomes = await collectOutcomes((runner) => SUITES[suite]?.(runner, model as LoadedModel));
    return outcomes.map(({ name, error }) => ({ name, error: error === undefined ? undefined : String(error) }));
  },

  decode: (name: StrategyName, sentences: readonly string[]) => decodeSentences(model as LoadedModel, name, sentences),

  /** Releases the model, and tells how many sessions stay open. */
  async dispose() {
    await model?.dispose();
    return openSessions();
  },
};

declare const crossOriginIsolated: boolean;
export type Page = typeof page;
(globalThis as { foretoken?: Page }).foretoken = page;
