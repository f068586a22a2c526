import {
  decodeUtf8,
  foreignContent,
  invalidFolder,
  isObject,
  MAX_TEMPLATE,
  parseJson,
  quote,
} from '@foretoken/models/folder';
import { type ChatFiles, TEMPLATE_TOKENS } from '../chat-template.js';

const CONFIG = 'tokenizer_config.json';
/** Where newer releases of transformers keep the template. */
const TEMPLATE = 'chat_template.jinja';
/** Configs list every added token. */
const MAX_CONFIG_BYTES = 16 * 1024 ** 2;

/** What reads files of a folder. */
interface FolderReader {
  readonly path: string;
  has(file: string): Promise<boolean>;
  read(file: string, maxBytes: number): Promise<Uint8Array>;
}

/** Content of tokenizer_config.json, undefined without one. Throws `INVALID_MODEL_FOLDER`. */
export async function readTokenizerConfig({
  path: folder,
  has,
  read,
}: FolderReader): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (!(await has(CONFIG))) return undefined;
  const config = parseJson(decodeUtf8(await read(CONFIG, MAX_CONFIG_BYTES), CONFIG, { folder }), CONFIG, { folder });
  if (isObject(config)) return config;
  throw refusedConfig(folder, 'the whole file', config, 'a JSON object');
}

function refusedConfig(folder: string, field: string, received: unknown, required: string): Error {
  return invalidFolder(
    `${CONFIG} in ${folder}: ${field} is ${quote(received)}, but it must be ${required}. Fetch or correct the file.`,
    { folder, file: CONFIG, field, received, required },
  );
}

/**
 * The chat template of a folder in the layout of transformers, undefined without one; of several the one named `default`. Throws
 * `INVALID_MODEL_FOLDER`.
 */
export async function readChat(reader: FolderReader): Promise<ChatFiles | undefined> {
  const { path: folder, has, read } = reader;
  const config = (await readTokenizerConfig(reader)) ?? {};
  const refuse = (field: string, received: unknown, required: string): never => {
    throw refusedConfig(folder, field, received, required);
  };
  const template = (await has(TEMPLATE))
    ? readTemplate(await read(TEMPLATE, 4 * MAX_TEMPLATE), folder)
    : templateOf(config.chat_template, refuse);
  if (template === undefined) return undefined;
  const tokens = TEMPLATE_TOKENS.flatMap((name): [string, string][] => {
    const value = config[name];
    const content = isObject(value) ? value.content : value;
    if (content === undefined || content === null) return [];
    return [[name, typeof content === 'string' ? content : refuse(name, value, 'a text')]];
  });
  return { template, tokens: Object.fromEntries(tokens) };
}

/** Any text is a template, so that of a pointer or a page would become every prompt. */
function readTemplate(bytes: Uint8Array, folder: string): string {
  const foreign = foreignContent(bytes);
  if (foreign === undefined) return decodeUtf8(bytes, TEMPLATE, { folder });
  throw invalidFolder(`${TEMPLATE} in ${folder} is ${foreign}`, {
    folder,
    file: TEMPLATE,
    required: 'a chat template in Jinja',
  });
}

function templateOf(
  value: unknown,
  refuse: (field: string, received: unknown, required: string) => never,
): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  const named: unknown = Array.isArray(value)
    ? value.find((one) => isObject(one) && one.name === 'default')
    : undefined;
  if (isObject(named) && typeof named.template === 'string') return named.template;
  return refuse('chat_template', value, 'a text, or a list of { name, template } with one named default');
}
