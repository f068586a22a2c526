import { invalidFolder, quote, readTokenizerConfig } from '@foretoken/models/internal';
import { folderReader } from '../../readers/folder-reader.js';
import { readObject } from '../../readers/hugging-face/read-object.js';
import { MAX_LABEL_ID } from './json-labels.js';

/** The file whose neighbours are read: a dictionary of any other name comes without them. */
export const VOCABULARY = 'vocab.json';
const ADDED = 'added_tokens.json';
/** Its texts have the phone delimiter between all labels, and no word boundary unless one is said. */
const PHONEMES = 'Wav2Vec2PhonemeCTCTokenizer';

/** What the files beside a `vocab.json` say of its labels and of texts. */
export interface TokenizerSettings {
  /** Labels that were added to the vocabulary, by their ids. */
  readonly added: ReadonlyMap<number, string>;
  /** The label that reads as a space; null for none, undefined where nothing says it. */
  readonly wordBoundary: string | null | undefined;
  readonly joiner: string | undefined;
  /** Whether texts are in small letters. */
  readonly lowercase: boolean;
}

/** Reads `added_tokens.json` and `tokenizer_config.json` beside a vocabulary. Throws `INVALID_MODEL_FOLDER` and the signal's reason. */
export async function readTokenizerSettings(folder: string, signal?: AbortSignal): Promise<TokenizerSettings> {
  const reader = folderReader(folder, signal);
  const added = new Map<number, string>();
  if (await reader.has(ADDED)) {
    for (const [label, id] of Object.entries(await readObject(reader, ADDED))) {
      if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= MAX_LABEL_ID && !added.has(id)) {
        added.set(id, label);
        continue;
      }
      throw invalidFolder(
        `${ADDED} in ${folder}: the id of ${quote(label)} is ${quote(id)}, but ids are required, each once. Fetch the files of one model.`,
        { folder, file: ADDED, field: label, received: id },
      );
    }
  }
  const config = (await readTokenizerConfig(reader)) ?? {};
  const words = (field: string): string | null | undefined => {
    const value = config[field];
    return typeof value === 'string' || value === null ? value : undefined;
  };
  const phonemes = config.tokenizer_class === PHONEMES;
  return {
    added,
    wordBoundary:
      words('word_delimiter_token') ?? (phonemes || config.word_delimiter_token === null ? null : undefined),
    joiner: phonemes ? (words('phone_delimiter_token') ?? ' ') : undefined,
    lowercase: config.do_lower_case === true && !phonemes,
  };
}

/** Labels with those that were added. Throws `INVALID_MODEL_FOLDER` where both give an id to different labels. */
export function withAdded(
  labels: readonly (string | undefined)[],
  added: ReadonlyMap<number, string>,
  folder: string,
): readonly (string | undefined)[] {
  const all = [...labels];
  for (const [id, label] of added) {
    while (all.length <= id) all.push(undefined);
    const other = all[id];
    if (other !== undefined && other !== label) {
      throw invalidFolder(
        `${ADDED} in ${folder} gives ${quote(label)} the id ${id}, which ${VOCABULARY} gives ${quote(other)}. Fetch the files of one model.`,
        { folder, file: ADDED, field: label, received: id },
      );
    }
    all[id] = label;
  }
  return all;
}
