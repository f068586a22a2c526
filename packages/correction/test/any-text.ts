import fc from 'fast-check';

const WORDS = [
  'teh',
  'cat',
  'sat',
  'on',
  'wrold',
  'alot',
  'of',
  'I',
  "don't",
  'It',
  'naïve',
  '3.14',
  'кот',
  'x',
  'well-known',
];
const ODD = [
  '\u{1F600}',
  '\u200B',
  '\uD83D',
  '\u0301',
  '`a b`',
  '<b>',
  'https://a.b/c?d',
  '\u00A0',
  '\uFEFF',
  '\u{1F468}\u200D\u{1F469}',
  '\0',
];
const GAPS = [
  ' ',
  ' ',
  ' ',
  '  ',
  '\t',
  '\n',
  '\r\n',
  '\n\n',
  '\n    ',
  '. ',
  ', ',
  '...',
  '! ',
  '\u2028',
  '\r',
  '\n- ',
  '\n```\n',
  ' | ',
  '',
];

/** Texts of words, odd characters and all kinds of gaps; now and then any code units at all. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(
        fc.tuple(
          fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...WORDS) }, fc.constantFrom(...ODD)),
          fc.constantFrom(...GAPS),
        ),
        {
          maxLength: 60,
        },
      )
      .map((parts) => parts.flat().join('')),
  },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)) },
);

/** A corrector that does all kinds of things to a text, always the same to the same. */
export function wildCorrection(seed: number): (text: string) => string {
  return (text) => {
    let state = seed;
    for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) as number), 0x9e3779b1) >>> 0;
    const draw = (max: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * max);
    };
    const words = text.split(' ');
    for (let times = draw(6); times > 0; times--) {
      const at = draw(words.length);
      const word = words[at];
      const other = words[draw(words.length)];
      const made = [
        word.toUpperCase(),
        '',
        `${word}s`,
        `${word}.`,
        `${word} ${other}`,
        'the',
        word.slice(1),
        `,${word}`,
        `${word}\n`,
      ];
      words[at] = made[draw(made.length)];
      if (draw(8) === 0) words.splice(at, 1);
      if (words.length === 0) words.push('x');
    }
    return words.join(draw(10) === 0 ? '  ' : ' ');
  };
}
