import type { Trace } from '@foretoken/streams';
import type { JSX } from 'preact';
import { roundsOf } from '../trace/steps.js';
import { durationOf, endOf } from '../trace/trace.js';
import { Figure, Mark, milliseconds } from './figure.js';
import { useWidth } from './use-width.js';
import type { View, ViewProps } from './view.js';

const HEIGHT = 140;
const BOTTOM = 22;

/** How often, of all rounds, so many draft tokens were accepted; index is the count. */
export function acceptanceHistogram(trace: Trace): number[] {
  const rounds = roundsOf(trace);
  const max = Math.max(0, ...rounds.map(({ draft }) => draft.length));
  const counts = new Array<number>(max + 1).fill(0);
  for (const { accepted } of rounds) counts[accepted]++;
  return counts;
}

/** How much faster than greedy, and which share of what perfect drafts would bring. */
export function speedups(trace: Trace, traces: readonly Trace[]) {
  const greedy = traces.find(({ header }) => header.strategy === 'greedy');
  const { ceiling } = trace.header;
  const plain = greedy && durationOf(greedy);
  const own = plain && plain / durationOf(trace);
  const max = plain && ceiling && plain / ceiling.milliseconds;
  // Of what can be gained at all; undefined where nothing can.
  const share = own && max && max > 1 ? (own - 1) / (max - 1) : undefined;
  return { own, max, share };
}

/** A share that makes sense as a number, or why there is none: times of single runs are unsteady on a busy machine. */
export function shareInWords(own: number, share: number): string {
  if (own < 1) return 'none: slower than greedy';
  return share > 1 ? 'not certain: times too unsteady' : `${Math.round(100 * share)} %`;
}

function Picture({ trace, traces, atMs }: ViewProps): JSX.Element {
  const [place, width] = useWidth();
  const rounds = roundsOf(trace);
  const past = rounds.filter((round) => round.atMs <= atMs);
  const histogram = acceptanceHistogram(trace);
  const soFar = new Array<number>(histogram.length).fill(0);
  for (const { accepted } of past) soFar[accepted]++;
  const y = (rounds: number): number => (rounds / Math.max(1, ...histogram)) * (HEIGHT - BOTTOM - 16);
  const step = width / histogram.length;
  const { statistics } = endOf(trace);
  const { accepted = 0, evaluated = 0 } = statistics.speculation ?? {};
  const { own, max, share } = speedups(trace, traces);
  const { ceiling } = trace.header;
  return (
    <div class="ft-acceptance">
      <figure>
        <div ref={place}>
          <svg
            height={HEIGHT}
            viewBox={`0 0 ${width} ${HEIGHT}`}
            role="img"
            aria-label={`Rounds by accepted draft tokens: ${histogram.map((count, index) => `${index}: ${count}`).join(', ')}`}
          >
            <line class="ft-axis" x1={0} x2={width} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
            {histogram.map((count, index) => (
              <g key={index} transform={`translate(${index * step} 0)`}>
                <rect
                  class="ft-bar-later"
                  x={step * 0.12}
                  width={step * 0.76}
                  y={HEIGHT - BOTTOM - y(count)}
                  height={y(count)}
                  rx={3}
                />
                <rect
                  class="ft-bar"
                  x={step * 0.12}
                  width={step * 0.76}
                  y={HEIGHT - BOTTOM - y(soFar[index])}
                  height={y(soFar[index])}
                  rx={3}
                />
                <text class="ft-tick" x={step / 2} y={HEIGHT - 6} text-anchor="middle">
                  {index}
                </text>
                {count > 0 && (
                  <text class="ft-tick" x={step / 2} y={HEIGHT - BOTTOM - y(count) - 4} text-anchor="middle">
                    {count}
                  </text>
                )}
              </g>
            ))}
          </svg>
        </div>
        <figcaption>
          Rounds, by how many tokens of the draft were accepted <Mark kind="measured" />
        </figcaption>
      </figure>
      <dl class="ft-figures">
        <Figure
          label="Accepted"
          value={evaluated === 0 ? 'no drafts' : `${Math.round((100 * accepted) / evaluated)} % of ${evaluated}`}
          kind="derived"
          how="Accepted draft tokens of those that the model scored, over all rounds."
        />
        <Figure
          label="Tokens a step"
          value={(statistics.tokens / Math.max(1, statistics.forwards)).toFixed(2)}
          kind="derived"
          how="Tokens of the output over forwards of the model."
        />
        {own !== undefined && (
          <Figure
            label="Speed against greedy"
            value={`${own.toFixed(2)} times`}
            kind="derived"
            how="Time of greedy decoding over time of this decode; both measured in this race."
          />
        )}
        {ceiling !== undefined && (
          <Figure
            label="With perfect drafts"
            value={milliseconds(ceiling.milliseconds)}
            kind="measured"
            how="The same decode with drafts that are always right and cost nothing."
          />
        )}
        {max !== undefined && (
          <Figure
            label="Ceiling"
            value={`${max.toFixed(2)} times`}
            kind="derived"
            how="Time of greedy decoding over time with perfect drafts: no drafter can be faster on this model."
          />
        )}
        {own !== undefined && share !== undefined && (
          <Figure
            label="Share of that gain"
            value={shareInWords(own, share)}
            kind="derived"
            how="What this drafter gains of what perfect drafts gain."
          />
        )}
      </dl>
    </div>
  );
}

export const acceptance: View = {
  id: 'acceptance',
  title: 'Acceptance and ceiling',
  about:
    'The more guesses the model accepts in a round, the fewer rounds it needs. The ceiling is the speed with guesses that are always right and cost nothing, measured with this model on this machine, so it shows how much a better drafter could still gain.',
  shows: ({ events }) => events.some(({ type }) => type === 'draft-end'),
  Picture,
};
