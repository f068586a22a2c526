import { basename, dirname, resolve } from 'node:path';
import { Yielder } from '@foretoken/core/kit';
import { textLines } from '@foretoken/metrics';
import {
  decodeUtf8,
  FOREIGN_BYTES,
  foreignContent,
  invalidFolder,
  isObject,
  parseJson,
  quote,
  readRegularFile,
  TOKENIZER_BYTES,
} from '@foretoken/models/internal';

/** The labels of a dictionary in their order, and what it is called. */
export interface Labels {
  readonly labels: readonly string[];
  readonly from: string;
  /** Whether the dictionary gives the ids itself, so that nothing is to be put in. */
  readonly numbered: boolean;
}

/**
 * Reads a dictionary: see `CtcImportOptions.dictionary`. What a line is, `textLines` says: U+2028 and the like may be labels. Throws
 * `INVALID_MODEL_FOLDER` and the signal's reason.
 */
export async function readLabels(dictionary: string | readonly string[], signal?: AbortSignal): Promise<Labels> {
  if (typeof dictionary !== 'string') return { labels: dictionary, from: 'the dictionary', numbered: false };
  const [folder, file] = [dirname(resolve(dictionary)), basename(dictionary)];
  const bytes = await readRegularFile({ folder, file }, { links: true, max: TOKENIZER_BYTES, signal });
  const foreign = foreignContent(bytes.subarray(0, FOREIGN_BYTES));
  if (foreign !== undefined) throw invalidFolder(`${file} in ${folder} is ${foreign}`, { folder, file });
  const content = decodeUtf8(bytes, file, { folder }).replace(/^\uFEFF/, '');
  if (/\.json$/i.test(file)) return jsonLabels(parseJson(content, file, { folder }), folder, file);
  const yielder = new Yielder(signal);
  const lines: string[] = [];
  const named: string[] = [];
  for await (const { number, text } of textLines(inOne(content), TOKENIZER_BYTES)) {
    lines.push(text);
    const blank = text.lastIndexOf(' ');
    const id = text.slice(blank + 1);
    if (blank >= 0 && /^\d+$/.test(id) && Number(id) === number - 1) named.push(text.slice(0, blank));
    if (yielder.due()) await yielder.yield();
  }
  return lines.length > 1 && named.length === lines.length
    ? { labels: named, from: file, numbered: true }
    : { labels: lines, from: file, numbered: false };
}

async function* inOne(content: string): AsyncGenerator<string, void, undefined> {
  yield content;
}

function jsonLabels(content: unknown, folder: string, file: string): Labels {
  const refuse = (why: string, received: unknown): never => {
    throw invalidFolder(`${file} in ${folder}: ${why}. A list of labels, or an object of ids by label is required.`, {
      folder,
      file,
      received,
    });
  };
  if (Array.isArray(content)) {
    const wrong = content.find((label) => typeof label !== 'string');
    if (wrong !== undefined) refuse(`a label is ${quote(wrong)}`, wrong);
    return { labels: content as string[], from: file, numbered: false };
  }
  if (!isObject(content)) return refuse(`it is ${quote(content)}`, content);
  const entries = Object.entries(content);
  const labels: (string | undefined)[] = new Array(entries.length).fill(undefined);
  for (const [label, id] of entries) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= entries.length || labels[id] !== undefined) {
      return refuse(
        `the id of ${quote(label)} is ${quote(id)}, but ids from 0 to ${entries.length - 1} are required, each once`,
        id,
      );
    }
    labels[id] = label;
  }
  return { labels: labels.map((label) => label ?? ''), from: file, numbered: true };
}
