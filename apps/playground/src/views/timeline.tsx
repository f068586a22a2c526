import type { Trace } from '@foretoken/streams';
import { ticks } from 'd3-array';
import type { JSX } from 'preact';
import { committedTokens, stepsOf } from '../trace/steps.js';
import { durationOf, tokenText } from '../trace/trace.js';
import { strategyLabel } from './labels.js';
import { percent, visible } from './token.js';
import { useWidth } from './use-width.js';
import type { View, ViewProps } from './view.js';

const LANE = 80;
const TOP = 26;
const BAR = 26;

/** A step of a decode: from one event to the next, and the tokens that were final at its end. */
export interface TimelineStep {
  readonly startMs: number;
  readonly endMs: number;
  readonly tokens: number;
  /** Mean probability of these tokens, where known. */
  readonly sure?: number | undefined;
  readonly text: string;
}

/** The steps of a trace; the first one holds the encoder too. */
export function timelineSteps(trace: Trace): TimelineStep[] {
  const tokens = committedTokens(trace);
  let startMs = 0;
  return stepsOf(trace).map((endMs) => {
    const here = tokens.filter(({ atMs }) => atMs === endMs);
    const known = here.flatMap(({ logProb }) => (logProb === undefined ? [] : [Math.exp(logProb)]));
    const sure = known.length > 0 ? known.reduce((sum, one) => sum + one, 0) / known.length : undefined;
    const text = here.map(({ tokenId }) => tokenText(trace, tokenId)).join('');
    const step = { startMs, endMs, tokens: here.length, sure, text };
    startMs = endMs;
    return step;
  });
}

function Picture({ traces, atMs }: ViewProps): JSX.Element {
  const [place, width] = useWidth();
  const longest = Math.max(...traces.map(durationOf));
  const x = (ms: number): number => (ms / longest) * width;
  const height = TOP + traces.length * LANE;
  return (
    <div class="ft-frame">
      <div ref={place}>
        <svg
          class="ft-timeline"
          viewBox={`0 0 ${width} ${height}`}
          height={height}
          role="img"
          aria-label={traces.map((trace) => `${strategyLabel(trace)}: ${timelineSteps(trace).length} steps`).join('; ')}
        >
          {ticks(0, longest, width < 500 ? 3 : 6).map((tick) => (
            <g key={tick} transform={`translate(${x(tick)} 0)`}>
              <line class="ft-grid" y1={TOP - 6} y2={height} />
              <text class="ft-tick" y={12} text-anchor={tick === 0 ? 'start' : x(tick) > width - 24 ? 'end' : 'middle'}>
                {tick} ms
              </text>
            </g>
          ))}
          {traces.map((trace, lane) => (
            <g key={trace.header.strategy} transform={`translate(0 ${TOP + lane * LANE})`}>
              <text class="ft-lane-name" y={14}>
                {strategyLabel(trace)}
              </text>
              {timelineSteps(trace).map((step) => (
                <Step key={step.endMs} step={step} x={x} shown={step.endMs <= atMs} />
              ))}
            </g>
          ))}
          <line
            class="ft-now"
            x1={x(Math.min(atMs, longest))}
            x2={x(Math.min(atMs, longest))}
            y1={TOP - 6}
            y2={height}
          />
        </svg>
      </div>
    </div>
  );
}

interface StepProps {
  readonly step: TimelineStep;
  readonly x: (ms: number) => number;
  readonly shown: boolean;
}

function Step({ step, x, shown }: StepProps): JSX.Element {
  const { startMs, endMs, tokens, sure, text } = step;
  const width = Math.max(x(endMs) - x(startMs) - 2, 1.5);
  const words = visible(text.replace(/\s+/g, ' '));
  const fits = Math.floor((width - 8) / 8);
  const title =
    tokens === 0
      ? `nothing final after ${endMs.toFixed(2)} ms`
      : `${tokens} ${tokens === 1 ? 'token' : 'tokens'} after ${endMs.toFixed(2)} ms: ${words}`;
  return (
    <g transform={`translate(${x(startMs)} 22)`} class={shown ? undefined : 'ft-later'}>
      <title>{sure === undefined ? title : `${title} (mean probability ${percent(Math.log(sure))})`}</title>
      <rect class={tokens > 0 ? 'ft-step' : 'ft-step ft-step-empty'} width={width} height={BAR} rx={4} />
      {fits >= 2 && tokens > 0 && (
        <text class="ft-step-text" x={5} y={17}>
          {words.length > fits ? `${words.slice(0, fits - 1)}…` : words}
        </text>
      )}
      {sure !== undefined && <rect class="ft-sure-bar" y={BAR + 4} width={width} height={Math.max(sure * 14, 1)} />}
    </g>
  );
}

export const timeline: View = {
  id: 'timeline',
  title: 'Time line',
  about:
    'Each box is one step of the computer, as wide as it took, and holds the words that were certain after it. A dashed box is a step after which no word was certain yet. The bar below a box is how probable the model found its words. Decoding token by token has many boxes with a piece of a word each, and the other strategies put several words into a box.',
  shows: (trace, traces) => trace === traces[0] || traces.length > 0,
  Picture,
};
