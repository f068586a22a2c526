import type { Drafter, LatticeModel, TokenSource } from '@foretoken/core';
import { type Corrector, correctionDrafter, createCorrector, FencedCode } from '@foretoken/correction';
import type { LoadedModel } from '@foretoken/models';
import { combineDrafters } from '@foretoken/speculative';
import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { CorrectionJsonWriter, type CorrectionWriter, DiffWriter, TextWriter } from '../correction-writers.js';
import { EXIT, usageError } from '../errors.js';
import { openInput } from '../inputs.js';
import { loadChosenModel } from '../load.js';
import { type RawLine, rawLines } from '../raw-lines.js';
import { createDrafter } from '../strategies/drafters.js';
import { wrappedLines } from '../wrapped-lines.js';

const STRATEGIES = ['speculative', 'ctc'] as const;
const DRAFTERS = ['copy', 'copy-ctc', 'copy-lattice', 'lattice', 'ngram', 'none'] as const;
type CorrectionDrafterName = (typeof DRAFTERS)[number];

export const correctCommand: CommandDefinition = {
  name: 'correct',
  positionals: [],
  description: 'Correct English text: spelling, casing, punctuation, spacing',
  examples: [
    'foretoken correct --text "i dont know were teh keys are"',
    'foretoken correct --file notes.txt --diff',
    'cat notes.txt | foretoken correct --min-confidence 0.8 > corrected.txt',
    'foretoken correct --file notes.txt --json > edits.json',
  ],
  options: [
    { ...OPTIONS.text, description: 'A text; may be given several times' },
    {
      ...OPTIONS.file,
      description: 'A text file, whose sentences may go on over line ends; - is standard input, read line by line',
    },
    { flag: '--min-confidence <n>', description: 'Leave edits alone that the model is less sure of; 0 (default) to 1' },
    {
      flag: '--strategy <name>',
      description:
        'speculative (default), or ctc: all edits of a sentence in one forward of the CTC model, several times faster, with more mistakes',
      values: STRATEGIES,
    },
    {
      flag: '--keep <words>',
      description: 'Words that stay as they are, with commas between them: names, terms (default: lol and the like)',
    },
    {
      flag: '--alphabet <letters>',
      description:
        'Lower-case letters of the language; words with others stay as they are (default: those that the tokens of the model spell)',
    },
    { flag: '--diff', description: 'Show what was taken out and what was put in' },
    {
      flag: '--drafter <name>',
      description: `Drafter, which changes the time and nothing else: ${DRAFTERS.join(', ')} (default: copy)`,
      values: DRAFTERS,
    },
    { ...OPTIONS.model, description: 'Model folder (default: @foretoken/model-english-correction)' },
    OPTIONS.threads,
    { ...OPTIONS.json, description: 'One JSON object on standard output: edits by span, with their probability' },
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { options, io } = context;
  const minConfidence = options.number('min-confidence');
  if (minConfidence !== undefined && (minConfidence < 0 || minConfidence > 1)) {
    throw usageError(`--min-confidence must be from 0 to 1, but was ${minConfidence}.`, {
      option: 'min-confidence',
      received: minConfidence,
    });
  }
  const strategy = options.choice('strategy', STRATEGIES) ?? 'speculative';
  const drafter = options.choice('drafter', DRAFTERS);
  if (strategy === 'ctc' && drafter !== undefined) {
    throw usageError('--strategy ctc needs no drafts: leave --drafter out.', { options: ['strategy', 'drafter'] });
  }
  const writer = chooseWriter(context);
  const texts = options.texts('text');
  if (texts.length > 0 && options.text('file') !== undefined) {
    throw usageError('--text and --file exclude each other; give one of them.', { options: ['text', 'file'] });
  }
  const chunks = texts.length > 0 ? undefined : await openInput(options, io);
  if (texts.length === 0 && chunks === undefined) {
    throw usageError('There is nothing to correct: give --text or --file, or pipe a text in.');
  }
  const model = await loadChosenModel(context, context.services.correctionModelFolder);
  try {
    const keep = options
      .text('keep')
      ?.split(',')
      .map((word) => word.trim());
    const alphabet = options.text('alphabet');
    const corrector = createCorrector(model, {
      minConfidence,
      keep,
      alphabet,
      lattice: strategy === 'ctc' ? latticeOf(model) : undefined,
      drafter: strategy === 'ctc' ? undefined : drafterFor(drafter ?? 'copy', model),
    });
    const read = chunks === undefined ? given(texts) : rawLines(chunks);
    const lines = (options.text('file') ?? '-') === '-' ? read : wrappedLines(read);
    return await correctAll(context, corrector, lines, writer, chunks !== undefined);
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

function chooseWriter({ options, io, style }: CommandContext): CorrectionWriter {
  if (options.flag('json') && options.flag('diff')) throw usageError('--json and --diff exclude each other.');
  if (options.flag('json')) return new CorrectionJsonWriter(io);
  return options.flag('diff') ? new DiffWriter(io, style.stdout) : new TextWriter(io);
}

/** The graph that is made for speed, where the folder has one. */
function latticeOf(model: LoadedModel): LatticeModel<TokenSource> {
  return model.find('lattice', { lattice: 'ctc', variant: 'fast' }) ?? model.part('lattice', { lattice: 'ctc' });
}

/** The graph that is made for drafts, where the folder has one. */
function draftLatticeOf(model: LoadedModel): LatticeModel<TokenSource> {
  return model.find('lattice', { lattice: 'ctc', variant: 'draft' }) ?? model.part('lattice', { lattice: 'ctc' });
}

function drafterFor(name: CorrectionDrafterName, model: LoadedModel): Drafter<TokenSource> | 'none' {
  switch (name) {
    case 'none':
      return name;
    case 'copy':
      return correctionDrafter(model);
    case 'copy-ctc':
      return correctionDrafter(model, { from: draftLatticeOf(model) });
    case 'copy-lattice':
      return combineDrafters([correctionDrafter(model), createDrafter('lattice', model)]);
    default:
      return createDrafter(name, model);
  }
}

async function* given(texts: readonly string[]): AsyncGenerator<RawLine, void, undefined> {
  for (const [index, text] of texts.entries()) yield { number: index + 1, text, ending: '\n', cut: false };
}

async function correctAll(
  { io, note }: CommandContext,
  corrector: Corrector,
  lines: AsyncIterable<RawLine>,
  writer: CorrectionWriter,
  oneText: boolean,
): Promise<number> {
  const { signal } = io;
  const code = new FencedCode();
  let warned = 0;
  for await (const line of lines) {
    signal.throwIfAborted();
    if (line.cut) {
      if (warned !== line.number) await note(`warning: line ${line.number} is too long to be read; it stays as it is.`);
      warned = line.number;
      await writer.passed(line);
      continue;
    }
    const correction = await corrector.correct(line.text, { signal, code: oneText ? code : undefined });
    if (correction.leftAlone.some(({ reason }) => reason === 'too-long')) {
      await note(`warning: line ${line.number} has a part that is too long for the model; it stays as it is.`);
    }
    await writer.corrected(line, correction);
  }
  // What was interrupted in its last forward must not look whole.
  signal.throwIfAborted();
  await writer.end();
  return EXIT.ok;
}
