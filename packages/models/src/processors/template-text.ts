/** What Python does with a text and the values that it is given. */
type TextMethod = (text: string, args: readonly unknown[]) => string;

// What str.isspace() counts: blanks of Unicode, and four signs that separate.
const BLANK = '[\\p{White_Space}\\x1c-\\x1f]';

/** The filter of this name, which begins words elsewhere than the method; no method is called so. */
export const TITLE_FILTER = '| title';

const begun = (word: string): string =>
  word.replace(/^.|.+/gsu, (part, at: number) => (at === 0 ? part.toUpperCase() : part.toLowerCase()));

const METHODS: Readonly<Record<string, TextMethod>> = {
  strip: (text, args) => stripped(text, args, true, true),
  trim: (text, args) => stripped(text, args, true, true),
  lstrip: (text, args) => stripped(text, args, true, false),
  rstrip: (text, args) => stripped(text, args, false, true),
  capitalize: begun,
  title: (text) => text.replace(/\p{L}+/gu, begun),
  [TITLE_FILTER]: (text) =>
    text
      .split(/([-\s({[<]+)/u)
      .map(begun)
      .join(''),
};

/** Methods and filters of texts that the library computes otherwise than Python; undefined for others. */
export function textMethod(name: string): TextMethod | undefined {
  return Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
}

/** Without the blanks, or the signs that are given, at its ends. */
function stripped(text: string, [signs]: readonly unknown[], begin: boolean, end: boolean): string {
  if (signs !== undefined && signs !== null && typeof signs !== 'string') throw new TypeError('strip takes a text');
  const drops = typeof signs === 'string' ? new Set(signs) : undefined;
  const isDropped = (sign: string): boolean => drops?.has(sign) ?? BLANKS.test(sign);
  const all = [...text];
  const from = begin ? all.findIndex((sign) => !isDropped(sign)) : 0;
  if (from < 0) return '';
  const to = end ? all.findLastIndex((sign) => !isDropped(sign)) + 1 : all.length;
  return all.slice(from, to).join('');
}
const BLANKS = new RegExp(`^${BLANK}$`, 'u');

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** A time as `strftime` of Python writes it, in English. Throws `RangeError` for what it does not know. */
export function formattedTime(time: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const hour = time.getHours() % 12 || 12;
  const parts: Readonly<Record<string, string | undefined>> = {
    Y: String(time.getFullYear()),
    y: two(time.getFullYear() % 100),
    m: two(time.getMonth() + 1),
    B: MONTHS[time.getMonth()],
    b: MONTHS[time.getMonth()]?.slice(0, 3),
    d: two(time.getDate()),
    e: String(time.getDate()).padStart(2, ' '),
    A: DAYS[time.getDay()],
    a: DAYS[time.getDay()]?.slice(0, 3),
    H: two(time.getHours()),
    I: two(hour),
    M: two(time.getMinutes()),
    S: two(time.getSeconds()),
    p: time.getHours() < 12 ? 'AM' : 'PM',
    '%': '%',
  };
  return format.replace(/%(-?)(.?)/gsu, (directive, dash: string, name: string) => {
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
    if (part === undefined)
      throw new RangeError(`it writes a time with ${JSON.stringify(directive)}, which is not known`);
    return dash === '' ? part : part.replace(/^[0 ](?=.)/, '');
  });
}
