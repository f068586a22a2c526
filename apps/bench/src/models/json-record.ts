import type { TokenConstraint, Vocabulary } from '@foretoken/core';

/** What the value of a key may be: a class of characters in a regular expression, and how many of them at least and at most. */
export interface RecordField {
  readonly key: string;
  readonly kind: 'text' | 'integer';
}

/** Most characters of a text, most digits of a number. */
const MAX = { text: 24, integer: 9 };

/** One character of the pattern, or a class that repeats. */
interface Unit {
  readonly one: string;
  readonly min: number;
  readonly max: number;
}

/** Lets only JSON objects through that have these keys in this order, texts of letters and whole numbers; its state is the text so far. */
export function jsonRecord(
  fields: readonly RecordField[],
  { size, endTokenId }: Vocabulary,
  textOf: (tokenId: number) => string,
): TokenConstraint<string> {
  const units = unitsOf(fields);
  const beginning = new RegExp(`^(?:${units.map((_, index) => beginningOf(units, index)).join('|')})$`);
  const whole = new RegExp(`^${units.map(patternOf).join('')}$`);
  const texts = Array.from({ length: size }, (_, tokenId) => textOf(tokenId));
  const masks = new Map<string, Uint8Array>();
  return {
    start: () => '',
    next: (text, tokenId) => text + texts[tokenId],
    allowed(text) {
      let mask = masks.get(text);
      if (mask === undefined) {
        mask = Uint8Array.from(texts, (added) => (added !== '' && beginning.test(text + added) ? 1 : 0));
        if (endTokenId !== undefined) mask[endTokenId] = whole.test(text) ? 1 : 0;
        masks.set(text, mask);
      }
      return mask;
    },
  };
}

function unitsOf(fields: readonly RecordField[]): readonly Unit[] {
  const literal = (text: string): Unit[] =>
    Array.from(text, (one) => ({ one: one.replace(/[{}]/, '\\$&'), min: 1, max: 1 }));
  return [
    ...fields.flatMap(({ key, kind }, index) => [
      ...literal(`${index === 0 ? '{' : ', '}${JSON.stringify(key)}: `),
      ...(kind === 'text'
        ? [...literal('"'), { one: '[A-Za-z]', min: 1, max: 1 }, { one: '[A-Za-z ]', min: 0, max: MAX.text - 1 }]
        : [
            { one: '[1-9]', min: 1, max: 1 },
            { one: '[0-9]', min: 0, max: MAX.integer - 1 },
          ]),
      ...(kind === 'text' ? literal('"') : []),
    ]),
    ...literal('}'),
  ];
}

const patternOf = ({ one, min, max }: Unit): string => `${one}{${min},${max}}`;

/** All units before `index` whole, and that one begun or not. */
function beginningOf(units: readonly Unit[], index: number): string {
  const { one, max } = units[index];
  return `${units.slice(0, index).map(patternOf).join('')}${one}{0,${max}}`;
}
