import * as v from 'valibot';
import { parseJson } from '../folder/json.js';
import { integer } from '../folder/manifest-schema.js';
import { invalidFolder, quote } from '../folder/refusal.js';

/** Content of a symbols file: a list of symbols for each side, whose places are their ids. */
export interface Symbols {
  /** Of outputs. */
  readonly target: readonly string[];
  /** Of sources; default: those of outputs. */
  readonly source?: readonly string[] | undefined;
  /** Between the symbols of a source text; default: each character is a symbol. */
  readonly separator?: string | undefined;
  /** Between the symbols of an output text; default nothing. */
  readonly joiner?: string | undefined;
  /** The output symbol that reads as a space, such as `|`. */
  readonly space?: string | undefined;
  /** Output ids that no text shows. */
  readonly hidden?: readonly number[] | undefined;
  /** Source texts are read in lower case. */
  readonly lowercase?: boolean | undefined;
  /** Source id of what the list does not have; without it that is refused. */
  readonly unknownTokenId?: number | undefined;
  /** Put before each source, where there is one. */
  readonly startTokenId?: number | undefined;
  /** Put behind each source, where there is one. */
  readonly endTokenId?: number | undefined;
}

const MAX_SYMBOLS = 1_000_000;
const symbol = v.pipe(v.string(), v.maxLength(200, 'at most 200 characters'));
const symbols = v.pipe(v.array(symbol), v.minLength(1, 'at least one symbol'), v.maxLength(MAX_SYMBOLS));
const id = integer(0, MAX_SYMBOLS - 1);
const FIELDS = {
  target: symbols,
  source: v.exactOptional(symbols),
  separator: v.exactOptional(symbol),
  joiner: v.exactOptional(symbol),
  space: v.exactOptional(symbol),
  hidden: v.exactOptional(v.array(id)),
  lowercase: v.exactOptional(v.boolean()),
  unknownTokenId: v.exactOptional(id),
  startTokenId: v.exactOptional(id),
  endTokenId: v.exactOptional(id),
};
const SCHEMA: v.GenericSchema<unknown, Symbols> = v.strictObject(FIELDS);

/** Reads a symbols file. Throws `INVALID_MODEL_FOLDER`. */
export function readSymbols(json: string, file: string): Symbols {
  const result = v.safeParse(SCHEMA, parseJson(json, file), { abortEarly: true });
  if (!result.success) {
    const [{ path = [], expected, message, input }] = result.issues;
    const field = path.map(({ key }) => String(key)).join('.') || 'the whole file';
    // What the schema does not know.
    const wrong =
      expected === 'never'
        ? `there is no field ${quote(field)}, only ${Object.keys(FIELDS).join(', ')}`
        : `${field} is ${quote(input)}: ${message}`;
    throw invalidFolder(`${file}: ${wrong}. Make the model again.`, { file, field });
  }
  const found = result.output;
  const { target, source = target, hidden = [], unknownTokenId, startTokenId, endTokenId } = found;
  const inside = (field: string, ids: readonly (number | undefined)[], size: number): void => {
    const wrong = ids.find((one) => one !== undefined && one >= size);
    if (wrong === undefined) return;
    throw invalidFolder(`${file}: ${field} has ${wrong}, but ids below ${size} are required. Make the model again.`, {
      file,
      field,
      received: wrong,
      required: size,
    });
  };
  inside('hidden', hidden, target.length);
  inside('unknownTokenId, startTokenId or endTokenId', [unknownTokenId, startTokenId, endTokenId], source.length);
  return found;
}
