import { invalidFolder, quote } from '@foretoken/models/internal';
import { MAX_LABEL_ID } from './json-labels.js';

/** Where a dictionary lies. */
interface Place {
  readonly folder: string;
  readonly file: string;
}

interface NumberedLine {
  readonly label: string;
  readonly id: number;
  readonly separator: string;
  /** What of the label is next to it; undefined where the label is empty. */
  readonly edge: string | undefined;
}

const IS_ID = /^\d+$/;

/** A line that ends with an id after a blank or a tab; the label is all before that one character. */
function endsWithId(line: string): NumberedLine | undefined {
  const at = Math.max(line.lastIndexOf(' '), line.lastIndexOf('\t'));
  const id = line.slice(at + 1);
  if (at < 0 || !IS_ID.test(id)) return undefined;
  return { label: line.slice(0, at), id: Number(id), separator: line[at], edge: line[at - 1] };
}

/** A line that begins with an id before such a character. */
function beginsWithId(line: string): NumberedLine | undefined {
  const at = line.search(/[ \t]/);
  const id = line.slice(0, Math.max(0, at));
  if (!IS_ID.test(id)) return undefined;
  return { label: line.slice(at + 1), id: Number(id), separator: line[at], edge: line[at + 1] };
}

/**
 * The labels by the ids that the lines give, in any order; undefined where most lines give none, so that their order says it. Yields
 * after each line. Throws `INVALID_MODEL_FOLDER` with the line's number for one without an id, an id or a label that is there twice, and
 * white space of which it is not clear whether it belongs to the label.
 */
export function* numberedLabels(
  lines: readonly string[],
  { folder, file }: Place,
): Generator<undefined, readonly (string | undefined)[] | undefined, undefined> {
  let count = lines.length;
  while (count > 0 && lines[count - 1].trim() === '') count--;
  if (count < 2) return undefined;
  const counts = { last: 0, first: 0 };
  for (let at = 0; at < count; at++) {
    if (endsWithId(lines[at]) !== undefined) counts.last++;
    if (beginsWithId(lines[at]) !== undefined) counts.first++;
    yield;
  }
  const isLast = 2 * counts.last > count;
  if (!isLast && 2 * counts.first <= count) return undefined;
  const refuse = (at: number, why: string, remedy = 'Use the dictionary that the model was trained with.'): never => {
    const field = `line ${at + 1}`;
    throw invalidFolder(`${file} in ${folder}: ${field}, ${quote(lines[at])}, ${why}. ${remedy}`, {
      folder,
      file,
      field,
      received: lines[at],
    });
  };
  const labels: (string | undefined)[] = [];
  const lineOf = new Map<number, number>();
  const lineOfLabel = new Map<string, number>();
  for (let at = 0; at < count; at++) {
    const found = isLast ? endsWithId(lines[at]) : beginsWithId(lines[at]);
    if (found === undefined) return refuse(at, `gives no id, but most lines ${isLast ? 'end' : 'begin'} with one`);
    const { label, id, separator, edge } = found;
    if (id > MAX_LABEL_ID) refuse(at, `gives the id ${id}, but ids of at most ${MAX_LABEL_ID} are read`);
    const other = lineOf.get(id);
    if (other !== undefined) refuse(at, `gives the id ${id}, which line ${other + 1} has given already`);
    const same = lineOfLabel.get(label);
    if (same !== undefined) refuse(at, `gives another id to the label ${quote(label)} of line ${same + 1}`);
    if ((edge === separator || edge === '\t') && label.trim() !== '') {
      refuse(
        at,
        'has more than one blank or tab between label and id, so it is not clear whether the label has one',
        'Put one tab between label and id.',
      );
    }
    lineOf.set(id, at);
    lineOfLabel.set(label, at);
    while (labels.length <= id) labels.push(undefined);
    labels[id] = label;
    yield;
  }
  return labels;
}
