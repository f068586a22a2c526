import type { ComponentChildren, JSX } from 'preact';

export interface ScrollProps {
  readonly label: string;
  readonly children: ComponentChildren;
}

/** What is wider than a phone scrolls by itself, by keyboard too. */
export function Scroll({ label, children }: ScrollProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section class="ft-scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
