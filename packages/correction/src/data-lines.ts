/** A key in lower case with a colon, after the marks of a list. */
const KEY = /^\s*(?:-\s+)*(?:[a-z_][\w.-]{0,60}|"[^"\n]{1,60}"|'[^'\n]{1,60}'):(?:\s+|$)/u;
/** No value, one without a space, or one in quotes or brackets; a comment may follow. */
const BARE = /^(?:|[^\s#]\S*|"[^"\n]*"|'[^'\n]*'|\[[^\]\n]*\]|\{[^}\n]*\})(?:\s+(?:#.*)?)?$/u;
/** Three words in a row, or a word that only sentences have. */
const SAID = /(?:^|\s)(?:\p{L}{2,40}\s\p{L}{2,40}\s\p{L}{2,40}(?=[\s,.:;]|$)|(?:i|the|you|we|they|he|she|is|are)\s)/iu;
const ITEM = /^\s*-\s+\S+\s*$/u;
const COMMENT = /^\s*#/u;
/** Units of a line that is looked at. */
const LONGEST = 400;

/** What a line is: data, of which nothing is altered; a key of data with a value that is prose; or prose. */
export type DataLine = 'data' | 'prose' | { readonly keyLength: number };

/**
 * Tells settings and other data, as YAML has them, from prose, one line after the other. Data begins with a key in lower case that has
 * no value or one of one word. Next to such a line any key in lower case is data.
 */
export class DataLines {
  /** The last line was data or had a key of it. */
  #open = false;

  /** `following` is the text after the line, as far as it is known. */
  read(line: string, following = ''): DataLine {
    const key = line.length > LONGEST ? undefined : KEY.exec(line)?.[0];
    if (key === undefined) {
      this.#open &&= line.length <= LONGEST && (ITEM.test(line) || COMMENT.test(line));
      return this.#open ? 'data' : 'prose';
    }
    const value = line.slice(key.length);
    const bare = BARE.test(value);
    this.#open ||= bare || bareKeyFollows(following);
    if (!this.#open) return 'prose';
    return bare || !SAID.test(value) ? 'data' : { keyLength: key.length };
  }
}

/** Whether the next lines with keys have one without a value, or with a value of one word. */
function bareKeyFollows(text: string): boolean {
  for (const line of text.split(/\r?\n/)) {
    const key = KEY.exec(line)?.[0];
    if (key === undefined) return false;
    if (BARE.test(line.slice(key.length))) return true;
  }
  return false;
}
