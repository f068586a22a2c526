import type { TokenSource, Vocabulary } from '@foretoken/core';
import { type Feeds, KeyValueStore, type NodeStore } from '@foretoken/core/runtime';
import type { HeadGraphFiles } from '../folder/manifest.js';
import type { OpenedPart } from '../parts/model-part.js';
import { EncoderDecoderModel, type EncoderDecoderOptions } from './encoder-decoder-model.js';
import type { GraphSessions } from './graph-sessions.js';
import type { MeasuredCosts } from './measured-costs.js';
import { openStep } from './open-step.js';
import { ProbeBudget, WidthCosts } from './probe.js';
import { ReadingStepDriver, type ReadingStepShape } from './reading-step-driver.js';
import {
  PROBE_MILLISECONDS,
  probeBatches,
  probeThreads,
  probeWidths,
  THREADS_MILLISECONDS,
} from './reading-step-probe.js';
import { type SourceFeeds, SourceRows } from './source-rows.js';
import { type BodyStepFiles, type OpenedStep, type StepGraphs, stepOutputs } from './step-graphs.js';
import { TokenEncoder } from './token-encoder.js';

/** What is known of an encoder and a decoder before their graphs are opened. */
export interface EncoderDecoderParts {
  readonly graphs: { readonly encoder: string; readonly step: HeadGraphFiles | BodyStepFiles };
  /** Size of a state. */
  readonly width: number;
  /** Of the decoder. */
  readonly shape: ReadingStepShape;
  readonly vocabulary: Vocabulary;
  /** Of sources, where they have one of their own. */
  readonly sourceVocabulary: { readonly size: number; readonly padTokenId: number };
  /** Whether the encoder embeds tokens itself, however the step is divided. */
  readonly embedsSources?: boolean | undefined;
  readonly beginning: readonly number[];
  /** See `AutoregressiveModel.forcedTokens`. */
  readonly forcedTokens?: number | undefined;
  readonly limits: { readonly sourceLength: number; readonly targetLength: number };
  readonly maxCandidates: number;
  /** What is fed of sources, where that is more than what is read of them; `sources` are those of `rows`. */
  readonly feedsOf?: ((rows: SourceRows, sources: readonly TokenSource[]) => SourceFeeds) | undefined;
  /** Makes what keeps the nodes of `rows` rows, where these are not keys and values. */
  readonly storeOver?: ((graphs: StepGraphs, sources: SourceFeeds, rows: number) => NodeStore) | undefined;
}

/** How a folder is opened; see `OpenContext`. */
interface Opening {
  readonly sessions: GraphSessions;
  readonly threads: number | undefined;
  readonly cores: number;
  readonly probe: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A folder's encoder and decoder, opened when they are used; measures what this machine does best with the decoder. */
export async function openEncoderDecoder(
  {
    graphs,
    width,
    shape,
    vocabulary,
    sourceVocabulary,
    embedsSources,
    beginning,
    forcedTokens,
    limits,
    maxCandidates,
    feedsOf,
    storeOver,
  }: EncoderDecoderParts,
  { sessions, threads, cores, probe, signal }: Opening,
): Promise<{ readonly part: OpenedPart; readonly encoder: TokenEncoder }> {
  const { runtime } = sessions;
  const forThreads = new ProbeBudget(THREADS_MILLISECONDS);
  if (threads !== undefined) sessions.threads = threads;
  // What is divided is so large that opening it again for each thread count takes longer than comparing them may.
  else if (probe && 'argmax' in graphs.step) {
    await sessions.useThreads(await probeThreads(sessions, graphs.step.argmax, shape, cores, forThreads, signal));
  }
  signal?.throwIfAborted();
  const step = await openStep(graphs.step, width, sessions);
  const limitsOfSources = {
    sourceLength: limits.sourceLength,
    vocabularySize: sourceVocabulary.size,
    padTokenId: sourceVocabulary.padTokenId,
    width,
    crossWidth: shape.width,
  };
  const embed = embedsSources ? undefined : step.embed;
  const encoder = new TokenEncoder(runtime, () => sessions.get(graphs.encoder), limitsOfSources, embed);
  signal?.throwIfAborted();
  const forWidths = new ProbeBudget(PROBE_MILLISECONDS - forThreads.spent);
  const { widths, costs } = probe ? await probeSteps(sessions, step, shape, forWidths, signal) : UNMEASURED;
  const offered = stepOutputs(graphs.step);
  const storeOf: EncoderDecoderOptions['storeOf'] = (encoding, joining, texts) => {
    const own = new SourceRows(runtime, shape, encoding, joining);
    const sources = feedsOf?.(own, texts) ?? own;
    const store =
      storeOver?.(step.graphs, sources, encoding.rows) ??
      new KeyValueStore({
        driver: new ReadingStepDriver(runtime, step.graphs, shape, sources, (nodes) => widths.padded(nodes), joining),
        rows: encoding.rows,
        parts: 2 * shape.layers,
        partWidth: shape.width,
        joining,
      });
    return { store, admit: (joined, rows) => sources.admit(joined, rows) };
  };
  const model = new EncoderDecoderModel({
    encoder,
    storeOf,
    outputs: offered.filter((head) => head !== 'topKWithStates'),
    states: offered.includes('topKWithStates') ? ['topK'] : [],
    maxCandidates,
    vocabulary,
    beginning,
    forcedTokens,
    maxLength: limits.targetLength,
    costs,
  });
  signal?.throwIfAborted();
  const open = async (): Promise<void> => {
    await step.open(signal);
    signal?.throwIfAborted();
    await sessions.get(graphs.encoder);
  };
  return { part: { kind: 'autoregressive', model, open }, encoder };
}

interface StepCosts {
  readonly widths: WidthCosts;
  readonly costs?: MeasuredCosts | undefined;
}

const UNMEASURED: StepCosts = { widths: new WidthCosts([]) };

async function probeSteps(
  sessions: GraphSessions,
  { graphs, open }: OpenedStep,
  shape: ReadingStepShape,
  budget: ProbeBudget,
  signal: AbortSignal | undefined,
): Promise<StepCosts> {
  await open(signal);
  const step = { run: (feeds: Feeds) => graphs.run(feeds, { kind: 'argmax' }, true) };
  signal?.throwIfAborted();
  const widths = await probeWidths(sessions, step, shape, budget, signal);
  return { widths, costs: await probeBatches(sessions, step, shape, widths, budget, signal) };
}
