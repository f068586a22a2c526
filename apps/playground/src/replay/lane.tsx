import type { Trace } from '@foretoken/streams';
import type { JSX } from 'preact';
import { committedTokens, provisionalTokens, stepsOf } from '../trace/steps.js';
import { durationOf, endOf, tokenText } from '../trace/trace.js';
import { Figure, Mark, milliseconds } from '../views/figure.js';
import { strategyLabel } from '../views/labels.js';
import { Tokens } from '../views/token.js';

export interface LaneProps {
  readonly trace: Trace;
  readonly traces: readonly Trace[];
  readonly atMs: number;
  readonly place: number;
}

/** One strategy of a race: its output as far as it is certain, and its figures. */
export function Lane({ trace, traces, atMs, place }: LaneProps): JSX.Element {
  const tokens = committedTokens(trace);
  const duration = durationOf(trace);
  const longest = Math.max(...traces.map(durationOf));
  const { statistics } = endOf(trace);
  const greedy = traces.find(({ header }) => header.strategy === 'greedy');
  const done = atMs >= duration;
  const { repeats, chosen } = trace.header;
  return (
    <li
      class={`ft-lane ft-lane-${place + 1}`}
      data-strategy={trace.header.strategy}
      data-token-ids={tokens.map(({ tokenId }) => tokenId).join(' ')}
    >
      <div class="ft-lane-head">
        <h3>{strategyLabel(trace)}</h3>
        <span class={done ? 'ft-done' : 'ft-done ft-hidden'}>
          {`${milliseconds(duration)} `}
          <Mark kind="measured" />
        </span>
      </div>
      <div class="ft-output-place" lang={trace.header.task === 'translate' ? 'de' : 'en'}>
        <p class="ft-output">
          <Tokens
            tokens={tokens.map(({ tokenId, atMs: when, fate, logProb }) => {
              return { text: tokenText(trace, tokenId), fate, logProb, hidden: when > atMs };
            })}
          />
        </p>
        <p class="ft-output ft-provisional" aria-hidden="true">
          <Tokens
            tokens={provisionalTokens(trace, atMs).map((tokenId) =>
              tokenId === trace.header.undecided ? { text: ' ', fate: 'masked' } : { text: tokenText(trace, tokenId) },
            )}
          />
        </p>
      </div>
      <div class="ft-progress" aria-hidden="true">
        <span class="ft-progress-room" style={{ width: `${(100 * duration) / longest}%` }}>
          <span style={{ transform: `scaleX(${Math.min(1, atMs / duration)})` }} />
        </span>
      </div>
      <dl class="ft-figures">
        <Figure
          label="Time"
          value={milliseconds(duration)}
          kind="measured"
          how={`The ${chosen} of ${repeats.length} runs, which took ${milliseconds(Math.min(...repeats))} to ${milliseconds(Math.max(...repeats))}.`}
        />
        <Figure
          label="First token"
          value={milliseconds(tokens[0]?.atMs ?? duration)}
          kind="measured"
          how="From the beginning of the decode to the first token that was final."
        />
        <Figure
          label="Steps"
          value={`${Math.max(statistics.forwards, stepsOf(trace).length > 0 ? 1 : 0)} for ${statistics.tokens} tokens`}
          kind="measured"
          how="Forwards of the model that decides, and tokens of the output; the encoder is not counted."
        />
        {greedy !== undefined && greedy !== trace && (
          <Figure
            label="Against greedy"
            value={`${(durationOf(greedy) / duration).toFixed(1)} times as fast`}
            kind="derived"
            how="Time of greedy decoding over time of this decode."
          />
        )}
      </dl>
    </li>
  );
}
