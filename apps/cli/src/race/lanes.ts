import type { TextTokenizer } from '@foretoken/models';
import type { Style } from '../terminal/style.js';
import { oneLine, safeText } from '../terminal/style.js';
import type { Run } from './measure.js';

/** A stretch of output text; `accepted` when its tokens were taken over from a draft. */
export interface Segment {
  readonly text: string;
  readonly accepted: boolean;
}

/** One strategy's output as it grew. */
export interface Lane {
  readonly name: string;
  readonly milliseconds: number;
  readonly forwards: number;
  /** When how many tokens were committed, in milliseconds since the start. */
  readonly commits: readonly { readonly atMs: number; readonly tokens: number }[];
  /** One segment a token. */
  readonly segments: readonly Segment[];
}

/** Reads a lane out of the events of a run. */
export function laneOf({ strategy, events, tokenIds, milliseconds, statistics }: Run, tokenizer: TextTokenizer): Lane {
  const commits: { atMs: number; tokens: number }[] = [];
  const accepted = new Set<number>();
  let roundStart = 0;
  let tokens = 0;
  for (const event of events) {
    if (event.type === 'token-commit') {
      tokens += event.tokenIds.length;
      commits.push({ atMs: event.atMs, tokens });
    } else if (event.type === 'draft-end') {
      // A round commits what it accepted, then the target's own token; an accepted end token is not committed.
      const end = Math.min(tokens, roundStart + event.accepted);
      for (let position = roundStart; position < end; position++) accepted.add(position);
      roundStart = tokens;
    }
  }
  const text = tokenizer.decode(tokenIds);
  const segments: Segment[] = [];
  let from = 0;
  for (let position = 0; position < tokenIds.length; position++) {
    const last = position === tokenIds.length - 1;
    const end = last ? text.length : tokenizer.decode(tokenIds.subarray(0, position + 1)).length;
    segments.push({ text: text.slice(from, Math.max(from, end)), accepted: accepted.has(position) });
    from = Math.max(from, end);
  }
  return { name: strategy, milliseconds, forwards: statistics.forwards, commits, segments };
}

/** Tokens committed `atMs` milliseconds after the start. */
export function tokensAt({ commits }: Lane, atMs: number): number {
  return commits.findLast((commit) => commit.atMs <= atMs)?.tokens ?? 0;
}

/** The lane's first `tokens` tokens as one line, accepted stretches marked. */
export function renderLane(lane: Lane, tokens: number, nameWidth: number, style: Style): string {
  return `  ${lane.name.padEnd(nameWidth)}  ${renderSegments(lane.segments.slice(0, tokens), style)}`;
}

/** A finished lane, with its time. */
export function renderResult(lane: Lane, nameWidth: number, style: Style): string {
  const forwards = lane.forwards === 1 ? '1 forward' : `${lane.forwards} forwards`;
  const cost = style.faint(`(${lane.milliseconds.toFixed(1)} ms, ${forwards})`);
  return `${renderLane(lane, lane.segments.length, nameWidth, style)}  ${cost}`;
}

function renderSegments(segments: readonly Segment[], style: Style): string {
  const stretches: { text: string; accepted: boolean }[] = [];
  for (const { text, accepted } of segments) {
    const current = stretches.at(-1);
    if (current !== undefined && current.accepted === accepted) current.text += text;
    else stretches.push({ text, accepted });
  }
  return stretches
    .map(({ text, accepted }) => ({ shown: safeText(oneLine(text)), accepted }))
    .map(({ shown, accepted }) => (accepted ? mark(shown, style) : shown))
    .join('');
}

/** Marks the words of a stretch, not the space before them. */
function mark(text: string, style: Style): string {
  const words = text.trimStart();
  return words === '' ? text : text.slice(0, text.length - words.length) + style.accepted(words);
}
