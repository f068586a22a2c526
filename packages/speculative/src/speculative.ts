import type {
  AutoregressiveModel,
  DecodeEvent,
  DecodeRequest,
  Decoder,
  Drafter,
  DraftRequest,
  OptionalField,
  Requirements,
  TokenForest,
  TokenSource,
} from '@foretoken/core';
import {
  assertDecode,
  checkOptions,
  decodeEnd,
  flag,
  givenTokens,
  integer,
  NodeBatch,
  type OptionTable,
  oneOf,
  outputLimit,
  rowCuts,
  rowResult,
  startOutput,
  tokenCommit,
  Yielder,
} from '@foretoken/core/kit';
import { DraftPolicy } from './draft-policy.js';
import { DraftRecord } from './draft-record.js';
import { type GuardedDrafts, drafter as readDrafter } from './guarded-drafts.js';
import { assertSameVocabulary, openShared } from './open-shared.js';
import { type RoundCounts, SpeculativeRow, type Verified } from './speculative-row.js';

/** Options of `speculative`. */
export interface SpeculativeOptions<Source> {
  /** Who proposes; of the target's vocabulary. */
  readonly drafter: Drafter<Source>;
  /** Most draft tokens a round and row; default 10. */
  readonly maxNodes?: number | undefined;
  /** Most draft tokens on one path; default: `maxNodes`. */
  readonly maxDepth?: number | undefined;
  /**
   * What of a draft is verified: `tree` all branches, for which the model must have branching; `chain` the path of first
   * children. Default: `tree` where the model has branching, `chain` where not. The output is the same.
   */
  readonly shape?: 'tree' | 'chain' | undefined;
  /** Give each hypothesis a `score`, as greedy decoding with the same option would; needs the `topK` output. */
  readonly scores?: boolean | undefined;
  /** Give each hypothesis its `tokenLogProbs`, as greedy decoding with the same option would; needs the `topK` output. */
  readonly tokenLogProbs?: boolean | undefined;
}

interface Settings<Source> {
  readonly drafter: Drafter<Source>;
  readonly maxNodes: number;
  readonly maxDepth: number;
  readonly shape: 'tree' | 'chain' | undefined;
  readonly scores: boolean;
  readonly tokenLogProbs: boolean;
  /** What was seen of each target. */
  readonly records: WeakMap<AutoregressiveModel<Source>, DraftRecord>;
}

const NAME = 'speculative';
const ACCEPTS: readonly OptionalField[] = ['outputPrefixes'];
const OPTIONS: OptionTable<SpeculativeOptions<never>> = {
  drafter: readDrafter,
  maxNodes: integer(1),
  maxDepth: integer(1),
  shape: oneOf('tree', 'chain'),
  scores: flag,
  tokenLogProbs: flag,
};

/**
 * Greedy decoding, sooner: a drafter proposes what comes next, the target scores the whole proposal in one forward, and
 * its own choices are the output (Stern et al., 2018; Leviathan et al., 2023; trees: Miao et al., 2024, "SpecInfer").
 *
 * The output equals greedy decoding token for token, whatever the drafter proposes. Throws `INVALID_ARGUMENT`; decoding
 * throws `UNSUPPORTED_CAPABILITY` (also for a drafter of another vocabulary) before any compute, `INVALID_DRAFT` for
 * a drafter that breaks its contract or fails, and the signal's reason also while a drafter does not answer.
 */
export function speculative<Source = TokenSource>(
  options: SpeculativeOptions<Source>,
): Decoder<AutoregressiveModel<Source>> {
  options = checkOptions<SpeculativeOptions<Source>>(NAME, options, OPTIONS, ['drafter']);
  const { drafter, maxNodes = 10, maxDepth = maxNodes, shape, scores = false, tokenLogProbs = false } = options;
  const records = new WeakMap<AutoregressiveModel<Source>, DraftRecord>();
  const settings: Settings<Source> = { drafter, maxNodes, maxDepth, shape, scores, tokenLogProbs, records };
  const requires: Requirements = {
    model: 'autoregressive',
    outputs: [scores || tokenLogProbs ? 'topK' : 'argmax'],
    branching: shape === 'tree',
    rollback: true,
  };
  return {
    name: NAME,
    requires,
    accepts: ACCEPTS,
    decode: (model, request) => decode(settings, requires, model, request, performance.now()),
  };
}

async function* decode<Source>(
  settings: Settings<Source>,
  requires: Requirements,
  model: AutoregressiveModel<Source>,
  given: DecodeRequest<Source>,
  startMs: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const request = assertDecode({ name: NAME, requires, accepts: ACCEPTS }, model, given);
  assertSameVocabulary(model, settings.drafter);
  const { sources, signal } = request;
  const elapsed = (): number => performance.now() - startMs;
  const record = settings.records.get(model) ?? new DraftRecord();
  settings.records.set(model, record);
  const policy = new DraftPolicy(model.costs, settings.drafter.costs, settings.maxNodes, record);
  const opened = await openShared(model, settings.drafter, request, policy.opens(sources.length));
  try {
    const { forest, drafts } = opened;
    const rows = sources.map((_, row) => {
      const start = forest.start(row);
      const { length } = start.prefix;
      const limit = outputLimit(model.maxLength, length, rowCuts(request, row), givenTokens(request, row));
      return new SpeculativeRow(row, start, startOutput(row, length, model, request), limit);
    });
    for (const { row, output } of rows) {
      const event = tokenCommit(row, output, 0, elapsed());
      if (event !== undefined) yield event;
      if (output.finishReason === undefined) continue;
      forest.finish(row);
      await drafts?.finish(row);
    }
    const totals = { proposed: 0, evaluated: 0, accepted: 0 };
    const nodes = new NodeBatch();
    const yielder = new Yielder(signal);
    let forwards = 0;
    let active: readonly SpeculativeRow[] = rows.filter(({ output }) => output.finishReason === undefined);
    while (active.length > 0) {
      signal?.throwIfAborted();
      await draft(active, drafts, policy, settings, model);
      signal?.throwIfAborted();
      nodes.clear();
      for (const row of active) row.layOut(nodes);
      const verified = await verify(forest, nodes, settings.scores || settings.tokenLogProbs, signal);
      forwards++;
      const rows = active.length;
      const width = active.reduce((widest, { draft }) => Math.max(widest, draft.tokenIds.length), 0);
      const { accepted } = totals;
      let tried = 0;
      for (const row of active) {
        const position = row.output.length;
        const counts = row.decide(verified);
        if (row.output.finishReason !== undefined) {
          forest.finish(row.row);
          await drafts?.finish(row.row);
        } else if (counts.accepted < counts.evaluated) forest.retain(row.row, [row.anchor]);
        add(totals, counts);
        tried += Math.min(counts.evaluated, counts.accepted + 1);
        if (row.output.length > position) {
          const committed = row.output.tokenIds(position);
          yield { type: 'token-commit', row: row.row, position, tokenIds: committed, atMs: elapsed() };
        }
        const { depth, proposed, evaluated, accepted } = counts;
        const round = row.rounds - 1;
        const { draft } = row;
        yield { type: 'draft-end', row: row.row, round, depth, proposed, evaluated, accepted, draft, atMs: elapsed() };
        if (yielder.due()) await yielder.yield();
      }
      policy.learn(rows, width, tried, totals.accepted - accepted);
      active = active.filter((row) => row.output.finishReason === undefined);
    }
    const results = rows.map((row) => rowResult(row.row, [row.hypothesis(settings.scores, settings.tokenLogProbs)]));
    yield decodeEnd(results, startMs, { forwards, speculation: { draftForwards: drafts?.forwards ?? 0, ...totals } });
  } catch (error) {
    // What went wrong first is what the caller should hear of.
    await opened[Symbol.asyncDispose]().catch(() => undefined);
    throw error;
  } finally {
    await opened[Symbol.asyncDispose]();
  }
}

/** Gives every row its draft of this round: all are asked for at once, and cut to the width that pays. */
async function draft<Source>(
  rows: readonly SpeculativeRow[],
  drafts: GuardedDrafts | undefined,
  policy: DraftPolicy,
  { drafter, maxNodes, maxDepth, shape }: Settings<Source>,
  { vocabulary, supports }: AutoregressiveModel<Source>,
): Promise<void> {
  for (const row of rows) row.offerNothing();
  if (drafts === undefined || !policy.asks()) return;
  const minProbability = policy.minProbability(rows.length);
  const asked: SpeculativeRow[] = [];
  const requests: DraftRequest[] = [];
  for (const row of rows) {
    const limit = row.draftLimit(maxNodes, maxDepth, minProbability);
    if (limit.nodes === 0) continue;
    asked.push(row);
    requests.push({ row: row.row, prefix: row.output.tokenIds(), limit });
  }
  if (asked.length === 0) return;
  const proposals = await drafts.propose(requests);
  const chain = shape === undefined ? !supports.branching : shape === 'chain';
  for (let index = 0; index < asked.length; index++) {
    asked[index].offer(proposals[index], requests[index].limit, chain, vocabulary, drafter.name);
  }
  const cap = policy.cap(
    rows.map((row) => row.draft),
    rows.length,
  );
  for (const row of rows) row.cut(cap);
}

/** Scores the pending tokens and the drafts of all active rows in one forward. */
function verify(
  forest: TokenForest,
  nodes: NodeBatch,
  logProbs: boolean,
  signal: AbortSignal | undefined,
): Promise<Verified> {
  return logProbs
    ? forest.extend(nodes, { kind: 'topK', k: 1 }, signal)
    : forest.extend(nodes, { kind: 'argmax' }, signal);
}

function add(totals: { proposed: number; evaluated: number; accepted: number }, counts: RoundCounts): void {
  totals.proposed += counts.proposed;
  totals.evaluated += counts.evaluated;
  totals.accepted += counts.accepted;
}
