import {
  decodeUtf8,
  type FileReader,
  foreignContent,
  invalidFolder,
  isObject,
  MAX_TEMPLATE,
  readTokenizerConfig,
  refusedTokenizerConfig,
} from '@foretoken/models/internal';
import { type ChatFiles, TEMPLATE_TOKENS } from '../chat-template.js';

/** Where newer releases of transformers keep the template. */
const TEMPLATE = 'chat_template.jinja';

/**
 * The chat template of a folder in the layout of transformers, undefined without one; of several the one named `default`. Throws
 * `INVALID_MODEL_FOLDER`.
 */
export async function readChat(reader: FileReader): Promise<ChatFiles | undefined> {
  const { path: folder, has, read } = reader;
  const config = (await readTokenizerConfig(reader)) ?? {};
  const refuse = (field: string, received: unknown, required: string): never => {
    throw refusedTokenizerConfig(folder, field, received, required);
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
