import type { JSX } from 'preact';

export interface FigureProps {
  readonly label: string;
  readonly value: string;
  /** `measured` is what events or clocks said, `derived` what was computed from that. */
  readonly kind: 'measured' | 'derived';
  /** How it was measured or derived. */
  readonly how: string;
}

/** A number, and whether it was measured or derived. */
export function Figure({ label, value, kind, how }: FigureProps): JSX.Element {
  return (
    <div class="ft-figure" title={how}>
      <dt>{label}</dt>
      <dd>
        {value} <Mark kind={kind} />
      </dd>
    </div>
  );
}

/** A full circle for what was measured, an empty one for what was derived. */
export function Mark({ kind }: Pick<FigureProps, 'kind'>): JSX.Element {
  return <span class={`ft-mark ft-mark-${kind}`} role="img" aria-label={kind} title={kind} />;
}

export function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)} ms`;
}
