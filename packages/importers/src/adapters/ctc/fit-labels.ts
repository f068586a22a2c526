import { ForetokenError } from '@foretoken/core';
import { firstTwice } from '@foretoken/core/kit';
import { quote, type Symbols } from '@foretoken/models/internal';
import type { CtcImportOptions } from './ctc-options.js';
import type { Labels } from './labels.js';

/** What a graph shows of its classes when it reads nothing but silence and noise. */
export interface ClassEvidence {
  readonly classes: number;
  /** The class that is best in most frames, and its share of them. */
  readonly commonest: number;
  readonly share: number;
}

const BLANKS = new Set([
  '',
  '<blank>',
  '[blank]',
  'blank',
  '<blk>',
  '<ctc>',
  '<ctc_blank>',
  '<pad>',
  '[PAD]',
  '<eps>',
  'ε',
]);
/** Of these, names that other classes may have beside a blank: padding, a Greek letter, a word. */
const SHARED_NAMES = new Set(['<pad>', '[PAD]', 'ε', 'blank']);
const HIDDEN = new Set([
  '<s>',
  '</s>',
  '<pad>',
  '[PAD]',
  '<unk>',
  '<UNK>',
  '[UNK]',
  '<sos>',
  '<eos>',
  '<sos/eos>',
  '<bos>',
]);
/** Labels that stand for a space by their name. */
const NAMED_SPACES = ['<space>', '<SPACE>'];
const SPACES = new Set([' ', '▁', ...NAMED_SPACES]);
/** Ids without a label that an error names. */
const SHOWN_IDS = 5;
/** A class that is best in this share of frames without content is the blank. */
const CERTAIN = 0.9;

type Told = Pick<CtcImportOptions, 'blank' | 'space' | 'wordBoundary' | 'joiner'>;

/**
 * The label of every class, and the blank. The dictionary must fit: nothing is ever shifted to make it. Throws `INVALID_ARGUMENT`
 * saying how many labels and classes there are and what to tell.
 */
export function fitLabels(
  dictionary: Labels,
  evidence: ClassEvidence,
  told: Told,
): { readonly symbols: Symbols; readonly blankId: number } {
  const { classes } = evidence;
  const { from, numbered } = dictionary;
  const count = dictionary.labels.filter((label) => label !== undefined).length;
  const refuse = (why: string, remedy: string): never => {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${from} lists ${count} labels and the graph has ${classes} classes: ${why} ${remedy}`,
      { option: 'dictionary', received: count, required: classes },
    );
  };
  const labels = everyLabel(dictionary, evidence, told, refuse);
  // Dictionaries of PaddleOCR for English list a space, and have another as their last class.
  const single = labels.at(-1) === ' ' ? labels.slice(0, -1) : labels;
  const twice = numbered ? undefined : firstTwice(single.filter((label) => label !== ''));
  if (twice !== undefined)
    refuse(`the label ${quote(twice)} is listed twice.`, 'Use the dictionary that the model was trained with.');
  const blankId = blankOf(labels, evidence, told, refuse);
  const whole = wholeList(labels, numbered, classes, blankId, told, refuse);
  return { symbols: symbolsOf(whole, blankId, dictionary, told, refuse), blankId };
}

/** How an error names a label that is called like the blank. */
const calledBlank = (label: string, at: number): string =>
  label === '' ? `label ${at + 1} is empty, which stands for the blank` : `${quote(label)} is called like the blank`;

type RefuseLabels = (why: string, remedy: string) => never;

/**
 * The labels without a gap. Ids that a dictionary gives are kept: of those it does not give, only one that is shown or told to be the
 * blank may be missing.
 */
function everyLabel(
  { labels: given, numbered }: Labels,
  { classes, commonest, share }: ClassEvidence,
  { blank }: Told,
  refuse: RefuseLabels,
): readonly string[] {
  const labels = given.filter((label) => label !== undefined);
  if (!numbered) return labels;
  const remedy = 'Use the dictionary that the model was trained with.';
  if (given.length > classes) {
    refuse(`it gives ids up to ${given.length - 1}, but classes are counted from 0 to ${classes - 1}.`, remedy);
  }
  const missing = Array.from({ length: classes }, (_, id) => id).filter((id) => given[id] === undefined);
  if (missing.length === 0) return labels;
  const shown = share >= CERTAIN && blank === undefined ? commonest : blank;
  const unlisted = labels.every((label) => !BLANKS.has(label) || SHARED_NAMES.has(label));
  if (missing.length === 1 && missing[0] === shown && unlisted) return labels.toSpliced(shown, 0, '');
  const ids = missing.slice(0, SHOWN_IDS).join(', ');
  const more = missing.length > SHOWN_IDS ? ` and ${missing.length - SHOWN_IDS} more` : '';
  return refuse(`it gives no label the id ${ids}${more}.`, `${remedy} Only the blank may be left out.`);
}

function blankOf(
  labels: readonly string[],
  { classes, commonest, share }: ClassEvidence,
  { blank }: Told,
  refuse: RefuseLabels,
): number {
  const named =
    typeof blank === 'string'
      ? [labels.indexOf(blank)]
      : labels.flatMap((label, at) => (BLANKS.has(label) ? [at] : []));
  if (named[0] === -1)
    refuse(`none of them is the blank ${quote(blank)} that was told.`, 'Tell the blank by its class, a number.');
  const listed = labels.length === classes && named.length === 1 ? named[0] : undefined;
  const certain = share >= CERTAIN;
  const found =
    typeof blank === 'number' ? blank : (listed ?? (certain && typeof blank !== 'string' ? commonest : undefined));
  if (found === undefined) {
    return refuse(
      typeof blank === 'string'
        ? 'a dictionary with the blank in it lists every class.'
        : 'none is known to be the blank, and the graph does not show one.',
      'Use the dictionary that the model was trained with, and tell the blank by its class, such as blank: 0.',
    );
  }
  if (found >= classes) refuse(`the blank ${found} is none of them.`, `Tell one below ${classes}.`);
  if (certain && found !== commonest) {
    const label = found === listed ? labels[found] : undefined;
    const said = label === undefined ? '' : `${calledBlank(label, found)}, but `;
    refuse(
      `${said}class ${found} is not the blank, since class ${commonest} is the best in ${Math.round(100 * share)} % of the frames of silence and noise.`,
      `Leave blank out, or tell ${commonest}, and use the dictionary that the model was trained with.`,
    );
  }
  return found;
}

/** A label for every class. */
function wholeList(
  labels: readonly string[],
  numbered: boolean,
  classes: number,
  blankId: number,
  { blank, space }: Told,
  refuse: RefuseLabels,
): readonly string[] {
  const missing = classes - labels.length;
  if (missing === 0 && space !== 'last') {
    const label = labels[blankId];
    if (BLANKS.has(label) || label === blank) return labels;
    refuse(
      `then the blank, class ${blankId}, would be the label ${quote(label)}, so the dictionary has a line too many.`,
      'Use the dictionary that the model was trained with, or tell the label of the blank, such as blank: "_".',
    );
  }
  if (numbered) refuse('a dictionary that gives ids has a label for every class.', 'Leave space out.');
  // What is called so stands where the blank would if lines lacked before it, or after: it is the blank of a dictionary too short.
  const listed = labels.findIndex(
    (label, at) => BLANKS.has(label) && (!SHARED_NAMES.has(label) || (at <= blankId && at >= blankId - missing)),
  );
  if (listed >= 0 && missing > 0) {
    const lacking = missing === 1 ? 'a line lacks' : `${missing} lines lack`;
    refuse(
      `${calledBlank(labels[listed], listed)}, so ${lacking}.`,
      'Use the dictionary that the model was trained with, or list every class, the blank at its place.',
    );
  }
  const spaced = labels.some((label) => SPACES.has(label));
  const insert = (list: readonly string[]): readonly string[] => [
    ...list.slice(0, blankId),
    '',
    ...list.slice(blankId),
  ];
  if (space === 'last' && labels.includes(' ') && (missing !== 2 || labels.at(-1) !== ' '))
    refuse('it lists a space, but a space at the end was told.', 'Leave space out.');
  if (missing === 2 && space === 'last') return insert([...labels, ' ']);
  if (missing === 1 && (space === 'none' || (space === undefined && spaced))) return insert(labels);
  if (missing === 1 && space === undefined) {
    refuse(
      'it may lack the blank, or be another model’s.',
      'If the labels are these and the blank, with no space, tell space: "none" (--space none).',
    );
  }
  if (missing === 2 && space === undefined && labels.at(-1) === ' ') {
    refuse(
      'it may lack the blank and a second space, as English dictionaries of PaddleOCR do, or be another model’s.',
      'If a space is the last class beside the one that is listed, tell space: "last" (--space last).',
    );
  }
  if (missing === 2 && space === undefined && !spaced) {
    refuse(
      'it may lack blank and space, as dictionaries of PaddleOCR do, or be another model’s.',
      'If the space is the last class, tell space: "last" (--space last).',
    );
  }
  return refuse(
    `with the blank${space === 'last' ? ' and the space' : ''}, ${labels.length + (space === 'last' ? 2 : 1)} would be needed.`,
    'Use the dictionary that the model was trained with.',
  );
}

function symbolsOf(
  labels: readonly string[],
  blankId: number,
  { numbered, settings }: Labels,
  { wordBoundary, joiner = settings?.joiner }: Told,
  refuse: RefuseLabels,
): Symbols {
  if (wordBoundary !== undefined && !labels.includes(wordBoundary)) {
    refuse(`none of them is the word boundary ${quote(wordBoundary)}.`, 'Tell one that is listed.');
  }
  const spoken = labels.some((label) => label.startsWith('▁'));
  const named = NAMED_SPACES.find((label) => labels.includes(label));
  const spaced = named !== undefined || spoken || labels.includes(' ');
  const { wordBoundary: said = spaced ? undefined : '|', lowercase = false } = settings ?? {};
  const listed = numbered && said !== null && said !== undefined && labels.includes(said) ? said : named;
  const space = wordBoundary ?? listed ?? (spoken ? ' ' : undefined);
  const shown = (label: string): string => (lowercase ? label.toLowerCase() : label);
  return {
    target: labels.map((label, id) => (id === blankId ? '' : spoken ? label.replaceAll('▁', ' ') : shown(label))),
    joiner,
    space: space && shown(space),
    hidden: labels.flatMap((label, id) => (id === blankId || HIDDEN.has(label) ? [id] : [])),
  };
}
