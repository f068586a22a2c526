import { decodeUtf8, isObject, parseJson } from '../folder/json.js';
import { invalidFolder, quote } from '../folder/refusal.js';
import type { FileReader } from './config-files.js';

export const TOKENIZER_CONFIG = 'tokenizer_config.json';
/** Configs list every added token. */
const MAX_CONFIG_BYTES = 16 * 1024 ** 2;

/** Content of tokenizer_config.json, undefined without one. Throws `INVALID_MODEL_FOLDER`. */
export async function readTokenizerConfig(reader: FileReader): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { path: folder } = reader;
  const file = TOKENIZER_CONFIG;
  if (!(await reader.has(file))) return undefined;
  const text = decodeUtf8(await reader.read(file, MAX_CONFIG_BYTES), file, { folder });
  const config = parseJson(text, file, { folder });
  if (isObject(config)) return config;
  throw refusedTokenizerConfig(folder, 'the whole file', config, 'a JSON object');
}

/** Refuses what that file says. */
export function refusedTokenizerConfig(folder: string, field: string, received: unknown, required: string): Error {
  return invalidFolder(
    `${TOKENIZER_CONFIG} in ${folder}: ${field} is ${quote(received)}, but it must be ${required}. Fetch or correct the file.`,
    { folder, file: TOKENIZER_CONFIG, field, received, required },
  );
}
