import type { Trace } from '@foretoken/streams';
import type { JSX } from 'preact';

/** What a picture is made of: recorded events, and the moment that is shown. */
export interface ViewProps {
  readonly trace: Trace;
  /** All that race, the trace among them. */
  readonly traces: readonly Trace[];
  /** Milliseconds since the decode began. */
  readonly atMs: number;
}

/** A picture of events. */
export interface View {
  readonly id: string;
  readonly title: string;
  /** Two sentences for someone who has never heard of it. */
  readonly about: string;
  /** Whether the events hold what it shows. */
  readonly shows: (trace: Trace, traces: readonly Trace[]) => boolean;
  readonly Picture: (props: ViewProps) => JSX.Element;
}
