import { assertInteger, nearestHint } from '@foretoken/core/kit';
import { usageError } from './errors.js';

/** Marks a reference to a value; no argument of a process can hold this character. */
export const SHELTER = '\0';

/**
 * An option's name for the parsers under cac, which take what begins with "no-" for the opposite of another option, values
 * and all.
 */
export function unnegated(flag: string): string {
  return flag.replace(/^--no-/, '--without-');
}

/** Reads option values by name, such as `max-new-tokens`. All throw `INVALID_ARGUMENT`. */
export class Options {
  readonly #parsed: Readonly<Record<string, unknown>>;
  readonly #values: readonly string[];

  constructor(parsed: Readonly<Record<string, unknown>>, values: readonly string[]) {
    this.#parsed = parsed;
    this.#values = values;
  }

  flag(name: string): boolean {
    // Of names with hyphens the parser does not see that they take no value, and leaves "true" as it is.
    return this.#get(name).some((value) => value === true || value === 'true');
  }

  texts(name: string): string[] {
    return this.#get(name).map((reference) => this.#values[Number(String(reference).slice(SHELTER.length))]);
  }

  text(name: string): string | undefined {
    const texts = this.texts(name);
    if (texts.length > 1) throw usageError(`--${name} was given ${texts.length} times.`, { option: name });
    return texts[0];
  }

  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value)) {
      throw usageError(`--${name} must be an integer from ${min} to ${max}, but was ${JSON.stringify(text)}.`, {
        option: name,
        received: text,
        min,
        max,
      });
    }
    assertInteger(`--${name}`, value, min, max);
    return value;
  }

  /** A decimal number of any sign and size. */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^-?\d{1,15}(\.\d{1,15})?$/.test(text)) {
      throw usageError(`--${name} must be a number such as 0.9, but was ${JSON.stringify(text)}.`, {
        option: name,
        received: text,
      });
    }
    return Number(text);
  }

  choice<const Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : oneOf(name, text, choices);
  }

  #get(name: string): readonly unknown[] {
    const key = unnegated(`--${name}`).slice(2);
    const value = this.#parsed[key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    return value === undefined ? [] : Array.isArray(value) ? value : [value];
  }
}

/** What programs call a strategy whose name is shorter here. */
const LONGER: Readonly<Record<string, string>> = { beamsearch: 'beam', ctcgreedy: 'ctc' };

/** Throws `INVALID_ARGUMENT` unless `text` is one of `choices`; the message asks for the nearest of them. */
export function oneOf<const Choice extends string>(name: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    const shorter = LONGER[text.toLowerCase().replace(/[^a-z]/g, '')];
    const near = choices.some((one) => one === shorter) ? ` Did you mean ${shorter}?` : nearestHint(text, choices);
    throw usageError(`--${name} must be one of ${choices.join(', ')}, but was ${JSON.stringify(text)}.${near}`, {
      option: name,
      received: text,
      required: choices,
    });
  }
  return choice;
}
