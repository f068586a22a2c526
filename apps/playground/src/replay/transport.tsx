import type { JSX } from 'preact';
import { Mark, milliseconds } from '../views/figure.js';
import type { Clock } from './clock.js';

const SPEEDS = [0.25, 0.5, 1, 2, 4] as const;

export interface TransportProps {
  readonly clock: Clock;
  /** Makes names of controls unique on a page. */
  readonly id: string;
}

/** Play, step, and where on the clock. */
export function Transport({ clock, id }: TransportProps): JSX.Element {
  const { atMs, playing, speed, slower, durationMs } = clock;
  return (
    <fieldset class="ft-transport">
      <legend class="ft-unseen">Replay</legend>
      <button type="button" class="ft-play" onClick={() => clock.toggle()}>
        {/* Both have room always, so that nothing moves. */}
        <span class={playing.value ? undefined : 'ft-hidden'}>
          <span aria-hidden="true">❚❚</span> Pause
        </span>
        <span class={playing.value ? 'ft-hidden' : undefined}>
          <span aria-hidden="true">▶</span> Play
        </span>
      </button>
      <button type="button" aria-label="Step back" title="Step back (←)" onClick={() => clock.step(-1)}>
        <span aria-hidden="true">◀</span>
      </button>
      <button type="button" aria-label="Step forward" title="Step forward (→)" onClick={() => clock.step(1)}>
        <span aria-hidden="true">▶</span>
      </button>
      <input
        type="range"
        min={0}
        max={durationMs}
        step="any"
        value={atMs.value}
        aria-label="Moment"
        aria-valuetext={milliseconds(atMs.value)}
        onInput={({ currentTarget }) => clock.seek(currentTarget.valueAsNumber)}
      />
      <output class="ft-moment" for={`${id}-speed`}>
        {momentText(atMs.value, durationMs)}
      </output>
      <label class="ft-speed">
        <span class="ft-unseen">Speed</span>
        <select
          id={`${id}-speed`}
          value={String(speed.value)}
          onChange={({ currentTarget }) => {
            speed.value = Number(currentTarget.value);
          }}
        >
          {SPEEDS.map((one) => (
            <option key={one} value={String(one)}>
              {one} ×
            </option>
          ))}
        </select>
      </label>
      <span class="ft-slower">
        {`${slowness(slower.value)} `}
        <Mark kind="derived" />
      </span>
    </fieldset>
  );
}

/** The moment, as wide as the last one will be. */
function momentText(atMs: number, durationMs: number): string {
  return `${atMs.toFixed(1).padStart(durationMs.toFixed(1).length, '\u2007')} ms`;
}

function slowness(slower: number): string {
  if (slower >= 1.05) return `${slower >= 10 ? Math.round(slower) : slower.toFixed(1)} times slower than it was`;
  return slower <= 0.95 ? `${(1 / slower).toFixed(1)} times faster than it was` : 'as fast as it was';
}
