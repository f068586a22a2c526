import type { Trace } from '@foretoken/streams';
import { ticks } from 'd3-array';
import type { JSX } from 'preact';
import { durationOf, endOf } from '../trace/trace.js';
import { strategyLabel } from './labels.js';
import { useWidth } from './use-width.js';
import type { View, ViewProps } from './view.js';

/** How many tokens were final, and since when. */
export interface CurvePoint {
  readonly atMs: number;
  readonly tokens: number;
}

/** The steps of the curve of a decode, from nothing at its beginning to all tokens at its end. */
export function tokenCurve(trace: Trace): CurvePoint[] {
  let tokens = 0;
  const points: CurvePoint[] = [{ atMs: 0, tokens }];
  for (const event of trace.events) {
    if (event.type !== 'token-commit') continue;
    tokens += event.tokenIds.length;
    points.push({ atMs: event.atMs, tokens });
  }
  return [...points, { atMs: durationOf(trace), tokens }];
}

const HEIGHT = 240;
const LEFT = 34;
const BOTTOM = 26;
const TOP = 8;

function Picture({ traces, atMs }: ViewProps): JSX.Element {
  const [place, width] = useWidth();
  const longest = Math.max(...traces.map(durationOf));
  const max = Math.max(1, ...traces.map((trace) => endOf(trace).statistics.tokens));
  const x = (ms: number): number => LEFT + (ms / longest) * (width - LEFT);
  const y = (tokens: number): number => TOP + (1 - tokens / max) * (HEIGHT - TOP - BOTTOM);
  const path = (points: readonly CurvePoint[]): string =>
    points
      .map(({ atMs: at, tokens }, index) => (index === 0 ? `M${x(at)} ${y(tokens)}` : `H${x(at)}V${y(tokens)}`))
      .join('');
  const now = x(Math.min(atMs, longest));
  return (
    <>
      <ul class="ft-legend" aria-label="Legend">
        {traces.map((trace, index) => (
          <li key={trace.header.strategy}>
            <span class={`ft-line ft-line-${index + 1}`} /> {strategyLabel(trace)}
          </li>
        ))}
      </ul>
      <div class="ft-frame">
        <div ref={place}>
          <svg
            class="ft-timeline"
            viewBox={`0 0 ${width} ${HEIGHT}`}
            height={HEIGHT}
            role="img"
            aria-label="Tokens against time"
          >
            {ticks(0, longest, width < 500 ? 3 : 6).map((tick) => (
              <g key={tick} transform={`translate(${x(tick)} 0)`}>
                <line class="ft-grid" y1={TOP} y2={HEIGHT - BOTTOM} />
                <text
                  class="ft-tick"
                  y={HEIGHT - 8}
                  text-anchor={tick === 0 ? 'start' : x(tick) > width - 24 ? 'end' : 'middle'}
                >
                  {tick} ms
                </text>
              </g>
            ))}
            {ticks(0, max, 4).map((tick) => (
              <g key={tick} transform={`translate(0 ${y(tick)})`}>
                <line class="ft-grid" x1={LEFT} x2={width} />
                <text class="ft-tick" x={LEFT - 8} y={4} text-anchor="end">
                  {tick}
                </text>
              </g>
            ))}
            {traces.map((trace, index) => (
              <path key={trace.header.strategy} class={`ft-curve ft-curve-${index + 1}`} d={path(tokenCurve(trace))} />
            ))}
            <line class="ft-now" x1={now} x2={now} y1={TOP} y2={HEIGHT - BOTTOM} />
          </svg>
        </div>
      </div>
    </>
  );
}

export const curveView: View = {
  id: 'curve',
  title: 'Tokens against time',
  about:
    'The higher a line, the more words were certain at that moment. Token by token it climbs in many small steps, and all at once it jumps.',
  shows: (_trace, traces) => traces.length > 1,
  Picture,
};
