import type { DecodeEvent, Drafter, TokenSource } from '@foretoken/core';
import { chainDraft } from '@foretoken/core/kit';
import type { LoadedModel } from '@foretoken/models';
import { speculative } from '@foretoken/speculative';
import { type Ceiling, type ChosenRun, type Trace, traceTokens } from '@foretoken/streams';
import { createDecoder } from './create-decoder.js';
import { type OptionValues, optionsOf, type Strategy } from './strategies.js';

/** One of the strategies that race. */
export interface Entry {
  readonly strategy: Strategy;
  readonly options: OptionValues;
}

export interface RaceRequest {
  readonly task: string;
  readonly input: string;
  readonly seed: number;
  readonly entries: readonly Entry[];
  readonly runtime: string;
  /** Measured runs of each strategy, and which of them becomes the trace; default: up to 5, the middle one. */
  readonly repeats?: number | undefined;
  readonly chosen?: ChosenRun | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is told of each event of the first, unmeasured run, as it happens. */
  readonly onEvent?: ((entry: number, event: DecodeEvent) => void) | undefined;
}

interface Run {
  readonly events: readonly DecodeEvent[];
  readonly text: string;
  readonly milliseconds: number;
}

/** Most repeats of each strategy, and milliseconds after which no more are begun. */
const REPEATS = 5;
const PATIENCE_MS = 1500;

/**
 * Decodes one input with every strategy. A first run warms each of them up; then they take turns, and one
 * run of each becomes the trace.
 */
export async function recordRace(model: LoadedModel, request: RaceRequest): Promise<Trace[]> {
  const { entries, input, seed, signal, onEvent, repeats = REPEATS, chosen = 'middle' } = request;
  const decodeOnce = async ({ strategy, options }: Entry, listen?: (event: DecodeEvent) => void): Promise<Run> => {
    const events: DecodeEvent[] = [];
    const decoder = await createDecoder(strategy, model, options);
    const { text, statistics } = await model.decode(input, decoder, {
      seed,
      signal,
      onEvent(event) {
        events.push(event);
        listen?.(event);
      },
    });
    return { events, text, milliseconds: statistics.totalMs };
  };
  for (const [index, entry] of entries.entries()) await decodeOnce(entry, (event) => onEvent?.(index, event));
  const runs = entries.map((): Run[] => []);
  const began = performance.now();
  const inTime = (): boolean => request.repeats !== undefined || performance.now() - began < PATIENCE_MS;
  for (let repeat = 0; repeat < repeats && (repeat === 0 || inTime()); repeat++) {
    // Another one begins each time, so that none profits from what ran before it.
    for (let turn = 0; turn < entries.length; turn++) {
      const index = (repeat + turn) % entries.length;
      runs[index].push(await decodeOnce(entries[index]));
    }
  }
  const traces: Trace[] = [];
  for (const [index, entry] of entries.entries()) {
    const { events, text } = choose(runs[index], chosen);
    const drafts = events.some(({ type }) => type === 'draft-end');
    traces.push({
      events,
      header: {
        type: 'trace',
        version: 1,
        strategy: entry.strategy.id,
        task: request.task,
        input,
        seed,
        options: optionsOf(entry.strategy, entry.options),
        text,
        undecided: await undecidedOf(model, entry),
        runtime: request.runtime,
        chosen,
        repeats: runs[index].map(({ milliseconds }) => Math.round(milliseconds * 1000) / 1000),
        tokens: traceTokens(events, model.tokenizer),
        ceiling: drafts ? await ceilingOf(model, request, events, entry) : undefined,
      },
    });
  }
  return traces;
}

/** The token that stands where canvases of this strategy are undecided. */
async function undecidedOf(model: LoadedModel, { strategy, options }: Entry): Promise<number | undefined> {
  const { requires } = await createDecoder(strategy, model, options);
  if (requires.model === 'canvas') return model.part('canvas').maskTokenId;
  return requires.model === 'edit' ? model.part('edit').placeholderTokenId : undefined;
}

function choose<One extends Pick<Run, 'milliseconds'>>(runs: readonly One[], chosen: ChosenRun): One {
  const sorted = runs.toSorted((one, other) => one.milliseconds - other.milliseconds);
  return sorted[chosen === 'fastest' ? 0 : sorted.length >> 1];
}

/** What drafts that are always right, and cost nothing, bring on this model and machine. */
async function ceilingOf(
  model: LoadedModel,
  { input, signal, repeats = 3, chosen = 'middle' }: RaceRequest,
  events: readonly DecodeEvent[],
  { options }: Entry,
): Promise<Ceiling | undefined> {
  const end = events.at(-1);
  if (end?.type !== 'decode-end') return undefined;
  const { tokenIds } = end.results[0].best;
  const decoder = speculative({
    drafter: perfectDrafter(tokenIds),
    maxNodes: options.draftTokens,
    tokenLogProbs: true,
  });
  const runs: Ceiling[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const { statistics } = await model.decode(input, decoder, { signal });
    runs.push({ forwards: statistics.forwards, milliseconds: Math.round(statistics.totalMs * 1000) / 1000 });
  }
  return choose(runs, chosen);
}

/** Drafts what the target is known to say. */
function perfectDrafter(tokenIds: Int32Array): Drafter<TokenSource> {
  return {
    name: 'perfect',
    async open() {
      return {
        forwards: 0,
        propose: (requests) =>
          requests.map(({ prefix, limit }) =>
            chainDraft(tokenIds.subarray(prefix.length, prefix.length + Math.min(limit.nodes, limit.depth))),
          ),
        finish() {},
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}
