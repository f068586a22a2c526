/** How to mark text on one stream: by escapes where a terminal understands them, else by plain characters. */
export interface Style {
  /** The terminal obeys escapes: text can be redrawn in place. */
  readonly escapes: boolean;
  heading(text: string): string;
  faint(text: string): string;
  problem(text: string): string;
  /** Tokens taken over from a draft: green and underlined; underlined without colours; in brackets without escapes. */
  accepted(text: string): string;
  /** Text that a correction takes out: red and struck through; as `[-text-]` without colours. */
  removed(text: string): string;
  /** Text that a correction puts in: green; as `{+text+}` without colours. */
  added(text: string): string;
}

/** The style of a stream, of which it is known whether it is a terminal, and the environment. */
export function styleFor(
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly noColor: boolean },
): Style {
  const escapes = stream.isTTY === true && env.TERM !== 'dumb';
  const colours = escapes && !options.noColor && (env.NO_COLOR ?? '') === '';
  const coloured = (open: string, close: string) => (text: string) =>
    colours ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return {
    escapes,
    heading: coloured('1', '22'),
    faint: coloured('2', '22'),
    problem: coloured('31', '39'),
    removed: (text) => (colours ? `\x1b[31;9m${text}\x1b[39;29m` : `[-${text}-]`),
    added: (text) => (colours ? `\x1b[32m${text}\x1b[39m` : `{+${text}+}`),
    accepted: (text) => {
      if (colours) return `\x1b[32;4m${text}\x1b[24;39m`;
      return escapes ? `\x1b[4m${text}\x1b[24m` : `[${text}]`;
    },
  };
}

// Terminals obey control characters, those from U+0080 to U+009F too; the others reorder or break what is shown.
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const LINE_BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;

/** Text from a file or a model, safe to show: nothing in it rewrites the terminal. */
export function safeText(text: string): string {
  return text.replace(UNSAFE, '\ufffd');
}

/** JSON that means the same and is safe to show. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Text as one line, for whatever reader: every line break is a space. */
export function oneLine(text: string): string {
  return text.replace(LINE_BREAK, ' ');
}

/** An error on a line of its own. */
export function problemLine(style: Style, code: string, message: string): string {
  return `${style.problem(`error ${code}`)}: ${safeText(oneLine(message))}\n`;
}
