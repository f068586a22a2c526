import type { Io, Output } from '../io.js';

/** How to mark text on one stream: by escapes where a terminal understands them, else by plain characters. */
export interface Style {
  /** The terminal obeys escapes: text can be redrawn in place. */
  readonly escapes: boolean;
  heading(text: string): string;
  faint(text: string): string;
  problem(text: string): string;
  /** Tokens taken over from a draft: green and underlined; underlined without colours; in brackets without escapes. */
  accepted(text: string): string;
}

export function styleFor(stream: Output, env: Io['env'], options: { readonly noColor: boolean }): Style {
  const escapes = stream.isTTY === true && env.TERM !== 'dumb';
  const colours = escapes && !options.noColor && (env.NO_COLOR ?? '') === '';
  const coloured = (open: string, close: string) => (text: string) =>
    colours ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return {
    escapes,
    heading: coloured('1', '22'),
    faint: coloured('2', '22'),
    problem: coloured('31', '39'),
    accepted: (text) => {
      if (colours) return `\x1b[32;4m${text}\x1b[24;39m`;
      return escapes ? `\x1b[4m${text}\x1b[24m` : `[${text}]`;
    },
  };
}

/** Text from a file or a model, safe to show: control characters could rewrite the terminal. */
export function safeText(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
