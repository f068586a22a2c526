import { ForetokenError } from '@foretoken/core';
import { invalidFolder, isObject, quote } from '@foretoken/models/internal';

/** The largest id that a dictionary may give. */
export const MAX_LABEL_ID = 999_999;
/** Languages that a message names. */
const SHOWN_LANGUAGES = 24;

/** Labels that a JSON file gives. */
export interface JsonLabels {
  readonly labels: readonly (string | undefined)[];
  readonly numbered: boolean;
  /** Whether it has lists of several languages. */
  readonly several: boolean;
}

interface Place {
  readonly folder: string;
  readonly file: string;
}

/**
 * Labels of a JSON list, of an object of ids by label, or of an object of such by language, as that of MMS. Throws
 * `INVALID_MODEL_FOLDER`, and `INVALID_ARGUMENT` where the language is none of them or is needed.
 */
export function jsonLabels(
  content: unknown,
  { folder, file }: Place,
  language: string | undefined,
  classes: number | null,
): JsonLabels {
  const refuse = (why: string, received: unknown): never => {
    throw invalidFolder(
      `${file} in ${folder}: ${why}. A list of labels, an object of ids by label, or an object of these by language is required.`,
      { folder, file, received },
    );
  };
  const languages = isObject(content) ? new Map(Object.entries(content)) : new Map<string, unknown>();
  if (languages.size > 0 && [...languages.values()].every((own) => isObject(own) || Array.isArray(own))) {
    const own = languages.get(languageOf(languages, file, language, classes));
    return { ...labelsOf(own, refuse), several: true };
  }
  return { ...labelsOf(content, refuse), several: false };
}

type Refuse = (why: string, received: unknown) => never;

function labelsOf(content: unknown, refuse: Refuse): Pick<JsonLabels, 'labels' | 'numbered'> {
  if (Array.isArray(content)) {
    const wrong = content.find((label) => typeof label !== 'string');
    if (wrong !== undefined) refuse(`a label is ${quote(wrong)}`, wrong);
    return { labels: content as string[], numbered: false };
  }
  if (!isObject(content)) return refuse(`it is ${quote(content)}`, content);
  const labels: (string | undefined)[] = [];
  for (const [label, id] of Object.entries(content)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > MAX_LABEL_ID) {
      return refuse(`the id of ${quote(label)} is ${quote(id)}, but ids from 0 to ${MAX_LABEL_ID} are read`, id);
    }
    if (labels[id] !== undefined) refuse(`${quote(labels[id])} and ${quote(label)} both have the id ${id}`, id);
    while (labels.length <= id) labels.push(undefined);
    labels[id] = label;
  }
  return { labels, numbered: true };
}

/** The language whose labels are read: the one that is told, or the only one. */
function languageOf(
  languages: ReadonlyMap<string, unknown>,
  file: string,
  language: string | undefined,
  classes: number | null,
): string {
  const names = [...languages.keys()];
  if (language === undefined && names.length === 1) return names[0];
  if (language !== undefined && languages.has(language)) return language;
  const fitting = names.filter((name) => classes !== null && sizeOf(languages.get(name)) === classes);
  const listed = fitting.length > 0 ? fitting : names;
  const shown = listed.slice(0, SHOWN_LANGUAGES).map((name) => quote(name));
  const more = listed.length > shown.length ? ` and ${listed.length - shown.length} more` : '';
  const which = fitting.length > 0 ? `those with as many labels as the graph has classes, ${classes}, are` : 'they are';
  const why =
    language === undefined
      ? `the one that the graph was exported for must be told, such as language: ${shown[0]} (--language)`
      : `${quote(language)} is none of them`;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${file} has the labels of ${names.length} languages, and ${why}; ${which} ${shown.join(', ')}${more}.`,
    { option: 'language', received: language, required: listed },
  );
}

const sizeOf = (own: unknown): number => (isObject(own) || Array.isArray(own) ? Object.keys(own).length : 0);
