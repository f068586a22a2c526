import { basename, dirname, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import { textLines } from '@foretoken/metrics';
import {
  decodeUtf8,
  FOREIGN_BYTES,
  foreignContent,
  invalidFolder,
  parseJson,
  quote,
  readRegularFile,
  TOKENIZER_BYTES,
} from '@foretoken/models/internal';
import { jsonLabels } from './json-labels.js';
import { numberedLabels } from './numbered-labels.js';
import { readTokenizerSettings, type TokenizerSettings, VOCABULARY, withAdded } from './tokenizer-settings.js';

/** The labels of a dictionary, and what it is called. */
export interface Labels {
  /** In their order; where the dictionary gives ids, by them, undefined for an id that it does not give. */
  readonly labels: readonly (string | undefined)[];
  readonly from: string;
  /** Whether the dictionary gives the ids itself, so that nothing is moved. */
  readonly numbered: boolean;
  /** What the files beside it say of texts. */
  readonly settings?: Omit<TokenizerSettings, 'added'> | undefined;
}

/** What of the options says which labels are read. */
export interface WantedLabels {
  readonly dictionary: string | readonly string[];
  /** Of a dictionary of several languages: which. */
  readonly language?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a dictionary: see `CtcImportOptions.dictionary`. What a line is, `textLines` says: U+2028 and the like may be labels. `classes`
 * are those that the graph declares, null where it does not. Beside a `vocab.json` the files of its tokenizer are read too. Throws `INVALID_MODEL_FOLDER`, `INVALID_ARGUMENT` for a language that is
 * none or is needed, and the signal's reason.
 */
export async function readLabels(
  { dictionary, language, signal }: WantedLabels,
  classes: number | null,
): Promise<Labels> {
  if (typeof dictionary !== 'string') {
    assertOneLanguage('the dictionary', language);
    return { labels: dictionary, from: 'the dictionary', numbered: false };
  }
  const [folder, file] = [dirname(resolve(dictionary)), basename(dictionary)];
  const bytes = await readRegularFile({ folder, file }, { links: true, max: TOKENIZER_BYTES, signal });
  const foreign = foreignContent(bytes.subarray(0, FOREIGN_BYTES));
  if (foreign !== undefined) throw invalidFolder(`${file} in ${folder} is ${foreign}`, { folder, file });
  const content = decodeUtf8(bytes, file, { folder }).replace(/^\uFEFF/, '');
  if (/\.json$/i.test(file)) {
    const { several, ...labels } = jsonLabels(
      parseJson(content, file, { folder }),
      { folder, file },
      language,
      classes,
    );
    if (!several) assertOneLanguage(file, language);
    if (file !== VOCABULARY || !labels.numbered) return { ...labels, from: file };
    const { added, ...settings } = await readTokenizerSettings(folder, signal);
    // What was added was added to the vocabulary of some one language.
    const all = several ? labels.labels : withAdded(labels.labels, added, folder);
    return { labels: all, from: file, numbered: true, settings };
  }
  assertOneLanguage(file, language);
  const yielder = new Yielder(signal);
  const lines: string[] = [];
  for await (const { text } of textLines(inOne(content), TOKENIZER_BYTES)) {
    lines.push(text);
    if (yielder.due()) await yielder.yield();
  }
  const numbered = await yielder.run(numberedLabels(lines, { folder, file }));
  return { labels: numbered ?? lines, from: file, numbered: numbered !== undefined };
}

async function* inOne(content: string): AsyncGenerator<string, void, undefined> {
  yield content;
}

function assertOneLanguage(from: string, language: string | undefined): void {
  if (language === undefined) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `language is ${quote(language)}, but ${from} has the labels of one language alone. Leave language out.`,
    { option: 'language', received: language },
  );
}
