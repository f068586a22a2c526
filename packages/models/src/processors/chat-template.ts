import { ForetokenError } from '@foretoken/core';
import { Environment, parse, tokenize } from '@huggingface/jinja';
import type { Chat } from './chat.js';
import { CountingInterpreter } from './template-interpreter.js';
import { formattedTime } from './template-text.js';

// Templates are part of a model that a stranger made, and no clock can stop one: what it does is counted.
const MAX_RANGE = 10_000;
/** The library looks for some tags behind every run of blanks, from each of its places: a long one would take minutes. */
const MAX_BLANKS = 256;

/** Texts of tokens that templates name, such as `bos_token`. */
export type TemplateTokens = Readonly<Record<string, string>>;

/** Makes the error for a template that cannot be used, of what was thrown. */
export type RefuseTemplate = (cause: unknown) => Error;

/** A chat template in Jinja, as tokenizers of transformers have it, parsed. */
export class ChatTemplate {
  readonly #program: ReturnType<typeof parse>;
  readonly #tokens: TemplateTokens;
  readonly #refuse: RefuseTemplate;
  readonly #now: () => Date;

  /** `now` says what templates that name the day name. Throws what `refuse` makes, for a text that is no template. */
  constructor(template: string, tokens: TemplateTokens, refuse: RefuseTemplate, now: () => Date = () => new Date()) {
    this.#tokens = tokens;
    this.#refuse = refuse;
    this.#now = now;
    // As Jinja itself reads a template: what a checkout on Windows made of its line breaks is no part of a prompt.
    const lines = template.replace(/\r\n?/g, '\n');
    if (lines.match(/\s+/g)?.some(({ length }) => length > MAX_BLANKS)) {
      throw refuse(new RangeError(`it has more than ${MAX_BLANKS} blanks in a row`));
    }
    try {
      this.#program = parse(tokenize(lines, { lstrip_blocks: true, trim_blocks: true }));
    } catch (cause) {
      throw refuse(cause);
    }
  }

  /**
   * The text of a conversation, whose messages were checked, up to where the model's own begins, or, without `opensTurn`, up to the
   * end of the last message. Throws `INVALID_ARGUMENT` for a conversation that the template refuses, and what `refuse` makes for a
   * template that fails or does too much.
   */
  text(messages: Chat, opensTurn = true): string {
    const environment = new Environment();
    let refusal: string | undefined;
    const globals: Readonly<Record<string, unknown>> = {
      true: true,
      false: false,
      none: null,
      True: true,
      False: false,
      None: null,
      range: boundedRange,
      raise_exception: (message: unknown) => {
        refusal = String(message);
        throw new Error(refusal);
      },
      strftime_now: (format: unknown) => formattedTime(this.#now(), String(format)),
      // None, as transformers has them, and not left undefined.
      tools: null,
      documents: null,
      ...this.#tokens,
      messages,
      add_generation_prompt: opensTurn,
    };
    for (const [name, value] of Object.entries(globals)) environment.set(name, value);
    try {
      return String(new CountingInterpreter(environment).run(this.#program).value);
    } catch (cause) {
      if (refusal === undefined) throw this.#refuse(cause);
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `The chat template of this model refuses the conversation: ${refusal}`,
        { option: 'messages', received: messages.map(({ role }) => role) },
        { cause },
      );
    }
  }
}

function boundedRange(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (!(count <= MAX_RANGE)) throw new RangeError(`it makes a range of ${count}, more than ${MAX_RANGE}`);
  return Array.from({ length: count }, (_, index) => from + index * step);
}
