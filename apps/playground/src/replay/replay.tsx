import type { Trace } from '@foretoken/streams';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useId, useMemo, useRef } from 'preact/hooks';
import { momentsOf, revisionsOf, unsteadiness } from '../trace/steps.js';
import { durationOf } from '../trace/trace.js';
import { COMMON_VIEWS, viewsOf } from '../views/all-views.js';
import { Mark } from '../views/figure.js';
import { strategyLabel } from '../views/labels.js';
import type { View } from '../views/view.js';
import { Clock, prefersStill } from './clock.js';
import { Lane } from './lane.js';
import { Transport } from './transport.js';

export interface ReplayProps {
  readonly traces: readonly Trace[];
  /** What is shown below the lanes: all views, those of the last trace alone, or none; default all. */
  readonly views?: 'all' | 'own' | 'none' | undefined;
}

/** From here on times are told to be rough. */
const UNSTEADY = 2;

/** Recorded decodes on one clock. It plays once it can be seen, unless the reader asked for less motion. */
export function Replay({ traces, views = 'all' }: ReplayProps): JSX.Element {
  const clock = useMemo(() => new Clock(momentsOf(traces), Math.max(...traces.map(durationOf))), [traces]);
  const place = useRef<HTMLElement>(null);
  const id = useId();
  useEffect(() => {
    if (prefersStill() || place.current === null) return;
    clock.atMs.value = 0;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting !== true) return;
      observer.disconnect();
      clock.play();
    });
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      clock.pause();
    };
  }, [clock]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const { target, key } = event;
    const inControl = target instanceof HTMLElement && /^(INPUT|SELECT|BUTTON|TEXTAREA)$/.test(target.tagName);
    const scrolls = target instanceof HTMLElement && target.classList.contains('ft-scroll');
    if (inControl || scrolls) return;
    if (key === ' ') clock.toggle();
    else if (key === 'ArrowRight') clock.step(1);
    else if (key === 'ArrowLeft') clock.step(-1);
    else return;
    event.preventDefault();
  };
  const atMs = clock.atMs.value;
  const label = `${traces.length > 1 ? 'Race' : 'Replay'}: ${traces.map(strategyLabel).join(', ')}`;
  return (
    <section
      ref={place}
      class="ft-replay"
      data-playing={clock.playing.value}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: blank and arrows play and step what has the focus.
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <h2 class="ft-unseen">{label}</h2>
      <Transport clock={clock} id={id} />
      <ol class="ft-lanes">
        {traces.map((trace, index) => (
          <Lane key={trace.header.strategy} trace={trace} traces={traces} atMs={atMs} place={index} />
        ))}
      </ol>
      <p class="ft-note">
        <Mark kind="measured" /> measured <Mark kind="derived" /> derived from what was measured ·{' '}
        {traces[0]?.header.runtime}
        {traces.some((trace) => revisionsOf(trace).length > 0) && ' · grey text may still change'}
      </p>
      {unsteadiness(traces) >= UNSTEADY && (
        <p class="ft-note">
          The same decode took up to {unsteadiness(traces).toFixed(1)} times as long in one run as in another: this
          machine is busy. Compare steps, not times, or race again.
        </p>
      )}
      {views !== 'none' && <Views traces={traces} atMs={atMs} all={views === 'all'} id={id} />}
    </section>
  );
}

interface ViewsProps {
  readonly traces: readonly Trace[];
  readonly atMs: number;
  readonly all: boolean;
  readonly id: string;
}

/** Pictures of all that race, then those of one strategy, which is chosen where there are several. */
function Views({ traces, atMs, all, id }: ViewsProps): JSX.Element {
  const chosen = useSignal(firstWithViews(traces));
  const trace = traces[chosen.value] ?? traces[0];
  return (
    <>
      {all &&
        COMMON_VIEWS.filter(({ shows }) => shows(trace, traces)).map((view) => (
          <ViewPanel key={view.id} view={view} trace={trace} traces={traces} atMs={atMs} />
        ))}
      {traces.length > 1 && (
        <fieldset class="ft-choice">
          <legend>Look inside</legend>
          {traces.map((one, index) => (
            <label key={one.header.strategy}>
              <input
                type="radio"
                name={`${id}-inside`}
                checked={index === chosen.value}
                onChange={() => {
                  chosen.value = index;
                }}
              />
              <span>{strategyLabel(one)}</span>
            </label>
          ))}
        </fieldset>
      )}
      {traces.length > 1 && viewsOf(trace, traces).length === 0 && (
        <p class="ft-about">Of this strategy there is no more to see than the pictures above show.</p>
      )}
      {viewsOf(trace, traces).map((view) => (
        <ViewPanel key={`${trace.header.strategy} ${view.id}`} view={view} trace={trace} traces={traces} atMs={atMs} />
      ))}
    </>
  );
}

/** The last decode whose inside can be shown: what is compared with greedy comes after it. */
function firstWithViews(traces: readonly Trace[]): number {
  return Math.max(
    0,
    traces.findIndex((trace) => viewsOf(trace, traces).length > 0),
  );
}

interface ViewPanelProps {
  readonly view: View;
  readonly trace: Trace;
  readonly traces: readonly Trace[];
  readonly atMs: number;
}

function ViewPanel({ view: { id, title, about, Picture }, trace, traces, atMs }: ViewPanelProps): JSX.Element {
  return (
    <div class="ft-view" data-view={id}>
      <h2>{title}</h2>
      <p class="ft-about">{about}</p>
      <Picture trace={trace} traces={traces} atMs={atMs} />
    </div>
  );
}
