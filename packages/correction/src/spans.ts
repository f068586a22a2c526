/** A part of a text: from `start` up to, not including, `end`, in UTF-16 code units as in JavaScript strings. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** All matches of a global expression. */
export function spansOf(text: string, pattern: RegExp): Span[] {
  return Array.from(text.matchAll(pattern), ({ index, 0: { length } }) => ({ start: index, end: index + length }));
}

/** Whether putting something in the place of `span` alters `other`: whatever is put in front of it or after it does not. */
export function alters(span: Span, other: Span): boolean {
  return span.start < other.end && span.end > other.start;
}
