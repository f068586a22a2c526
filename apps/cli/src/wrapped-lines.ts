import type { RawLine } from './raw-lines.js';

/** Units of a text that is given at once, so that what is held is bounded. */
const LONGEST = 20_000;
/** Units at the end of a line that are looked at. */
const LONGEST_END = 16;
const ENDS = /[.!?…:;|]\W{0,15}$/u;
const GOES_ON = /^\s*(?:["'“‘`([]?\p{Ll}|[([`]\p{Lu})/u;
/** After a short word a line may go on with a name. */
const SHORT_WORD = /\s\p{Ll}{1,7}\s*$/u;
const NAME = /^\s*["'“‘`([]?\p{Lu}/u;
/** Lines of verse go on with a capital. */
const OPEN_END = /[,;]["'”’]?\s*$/u;

/**
 * Lines that one sentence may have been wrapped into, as one text with line ends in it; it has the number of the first. Each line
 * waits for the next one, so this is for files and not for what is still being written.
 */
export async function* wrappedLines(lines: AsyncIterable<RawLine>): AsyncGenerator<RawLine, void, undefined> {
  let open: RawLine | undefined;
  for await (const line of lines) {
    if (open !== undefined && mayGoOn(open, line)) {
      open = { ...open, text: open.text + open.ending + line.text, ending: line.ending };
      continue;
    }
    if (open !== undefined) yield open;
    open = line;
  }
  if (open !== undefined) yield open;
}

function mayGoOn(before: RawLine, line: RawLine): boolean {
  if (before.cut || line.cut || before.text.length + line.text.length > LONGEST) return false;
  const end = before.text.slice(-LONGEST_END);
  if (OPEN_END.test(end) && NAME.test(line.text)) return true;
  if (before.text.trim() === '' || ENDS.test(end)) return false;
  return GOES_ON.test(line.text) || (SHORT_WORD.test(end) && NAME.test(line.text));
}
