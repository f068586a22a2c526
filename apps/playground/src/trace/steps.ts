import type { CanvasReviseEvent } from '@foretoken/core';
import type { Trace } from '@foretoken/streams';
import { durationOf, resultOf } from './trace.js';

/** What became of a token of a draft, or where a committed token came from. */
export type TokenFate = 'accepted' | 'rejected' | 'corrected' | 'bonus' | 'own';

/** A token that is part of the output. */
export interface CommittedToken {
  readonly tokenId: number;
  readonly position: number;
  readonly atMs: number;
  readonly fate: Exclude<TokenFate, 'rejected'>;
  /** Natural-log probability, where the decode tells it. */
  readonly logProb?: number | undefined;
}

/** A token of a draft: where it hangs, and what became of it. */
export interface DraftedToken {
  readonly tokenId: number;
  readonly parent: number;
  readonly fate: 'accepted' | 'rejected';
}

/** One round of speculation. */
export interface Round {
  readonly round: number;
  readonly startMs: number;
  readonly atMs: number;
  readonly proposed: number;
  readonly accepted: number;
  readonly draft: readonly DraftedToken[];
  /** The token that the target added by itself; absent where the output ended in or after the draft. */
  readonly own?: { readonly tokenId: number; readonly fate: 'corrected' | 'bonus' | 'own' } | undefined;
}

/** The rounds of a speculative decode, in order. */
export function roundsOf({ events }: Trace): Round[] {
  const rounds: Round[] = [];
  let committed: number[] = [];
  let startMs = 0;
  for (const event of events) {
    if (event.type === 'token-commit') committed.push(...event.tokenIds);
    if (event.type !== 'draft-end') continue;
    const { round, atMs, draft, accepted, proposed } = event;
    const path = pathOf(draft.tokenIds, draft.parents, committed.slice(0, accepted));
    const drafted = Array.from(
      draft.tokenIds,
      (tokenId, node): DraftedToken => ({
        tokenId,
        parent: draft.parents[node],
        fate: path.has(node) ? 'accepted' : 'rejected',
      }),
    );
    const tokenId = committed[accepted];
    const last = [...path].at(-1) ?? -1;
    const refused = drafted.some(({ parent }) => parent === last);
    const fate = refused ? 'corrected' : drafted.length > 0 ? 'bonus' : 'own';
    const own = tokenId === undefined ? undefined : ({ tokenId, fate } as const);
    rounds.push({ round, startMs, atMs, proposed, accepted, draft: drafted, own });
    committed = [];
    startMs = atMs;
  }
  return rounds;
}

function pathOf(tokenIds: Int32Array, parents: Int32Array, accepted: readonly number[]): Set<number> {
  const path = new Set<number>();
  let node = -1;
  for (const tokenId of accepted) {
    node = tokenIds.findIndex((id, index) => id === tokenId && parents[index] === node);
    if (node < 0) break;
    path.add(node);
  }
  return path;
}

/** The tokens of the output, in order, with when they were final and where they came from. */
export function committedTokens(trace: Trace): CommittedToken[] {
  const fates = roundsOf(trace).flatMap(({ accepted, own }): CommittedToken['fate'][] => [
    ...Array.from({ length: accepted }, () => 'accepted' as const),
    ...(own === undefined ? [] : [own.fate]),
  ]);
  const logProbs = tokenLogProbs(trace);
  const tokens: CommittedToken[] = [];
  for (const event of trace.events) {
    if (event.type !== 'token-commit') continue;
    for (const [index, tokenId] of event.tokenIds.entries()) {
      const position = event.position + index;
      const fate = fates[position] ?? 'own';
      tokens.push({ tokenId, position, atMs: event.atMs, fate, logProb: logProbs?.[position] });
    }
  }
  return tokens;
}

/** Natural-log probabilities of the output's tokens, where the decode tells them. */
function tokenLogProbs(trace: Trace): Float32Array | undefined {
  const { best } = resultOf(trace);
  const told = best.tokenLogProbs ?? revisionsOf(trace).at(-1)?.logProbs;
  return told?.some((logProb) => Number.isNaN(logProb)) ? undefined : told;
}

export function revisionsOf({ events }: Trace): CanvasReviseEvent[] {
  return events.filter((event) => event.type === 'canvas-revise');
}

/** The output as it stood at a moment and may still change; empty where nothing was told yet, or all of it is final. */
export function provisionalTokens(trace: Trace, atMs: number): number[] {
  if (atMs >= durationOf(trace)) return [];
  const revision = revisionsOf(trace).findLast((event) => event.atMs <= atMs);
  const final = committedTokens(trace).filter((token) => token.atMs <= atMs).length;
  return revision === undefined || final > 0 ? [] : [...revision.tokenIds];
}

/** How many times as long as its fastest run the slowest run of a strategy took; 1 where runs were chosen for their time. */
export function unsteadiness(traces: readonly Trace[]): number {
  const ratios = traces.map(({ header: { chosen, repeats } }) =>
    chosen === 'fastest' ? 1 : Math.max(...repeats) / Math.min(...repeats),
  );
  return Math.max(1, ...ratios.filter(Number.isFinite));
}

/** When something happened, in order, each moment once; milliseconds. */
export function momentsOf(traces: readonly Trace[]): number[] {
  return [...new Set(traces.flatMap(({ events }) => events.map(({ atMs }) => atMs)))].sort((one, other) => one - other);
}

/** When outputs grew or changed: the ends of a decode's steps. */
export function stepsOf({ events }: Trace): number[] {
  return [...new Set(events.filter(({ type }) => type !== 'decode-end').map(({ atMs }) => atMs))];
}
