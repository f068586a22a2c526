import { basename, dirname, resolve } from 'node:path';
import {
  decodeUtf8,
  invalidFolder,
  isObject,
  parseJson,
  quote,
  readRegularFile,
  TOKENIZER_BYTES,
} from '@foretoken/models/folder';

/** The labels of a dictionary in their order, and what it is called. */
export interface Labels {
  readonly labels: readonly string[];
  readonly from: string;
  /** Whether the dictionary gives the ids itself, so that nothing is to be put in. */
  readonly numbered: boolean;
}

/** Reads a dictionary: see `CtcImportOptions.dictionary`. Throws `INVALID_MODEL_FOLDER`. */
export async function readLabels(dictionary: string | readonly string[]): Promise<Labels> {
  if (typeof dictionary !== 'string') return { labels: dictionary, from: 'the dictionary', numbered: false };
  const [folder, file] = [dirname(resolve(dictionary)), basename(dictionary)];
  const content = decodeUtf8(await readRegularFile({ folder, file }, { links: true, max: TOKENIZER_BYTES }), file, {
    folder,
  }).replace(/^\uFEFF/, '');
  if (/\.json$/i.test(file)) return jsonLabels(parseJson(content, file, { folder }), folder, file);
  const lines = content.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const numbered = lines.map((line) => /^(.*) (\d+)$/.exec(line));
  if (lines.length > 1 && numbered.every((found, at) => Number(found?.[2]) === at)) {
    return { labels: numbered.map((found) => found?.[1] ?? ''), from: file, numbered: true };
  }
  return { labels: lines, from: file, numbered: false };
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
