import { resolve } from 'node:path';
import type { ImportNote } from '@foretoken/importers';
import type { ModelManifest } from '@foretoken/models';
import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { describeManifest } from '../describe-model.js';
import { EXIT, usageError } from '../errors.js';
import { toJson, write } from '../io.js';
import type { Options } from '../options.js';
import { PRECISIONS } from '../precisions.js';
import { safeText } from '../terminal/style.js';

/** Options that name a student's folder, and what `importModel` calls them. */
const STUDENTS = [
  ['ctc', 'ctc'],
  ['ctc-fast', 'ctcFast'],
  ['canvas', 'canvas'],
  ['dag', 'dag'],
  ['edit', 'edit'],
] as const;

/** Options of weights that are made into graphs, and of a CTC graph that is there already: neither means anything to the other. */
const OF_WEIGHTS = [...STUDENTS.map(([option]) => option), 'weights', 'quantisation', 'step-layout', 'shortlist'];
const OF_GRAPHS = [
  'dictionary',
  'language',
  'precision',
  'blank',
  'space',
  'word-boundary',
  'sample-rate',
  'normalise',
];

const WEIGHTS = ['float16', 'float32', 'int8', 'int4'] as const;
const STEP_LAYOUTS = ['heads', 'body'] as const;
const SHORTLISTS = ['use', 'none'] as const;

export const importCommand: CommandDefinition = {
  name: 'import',
  positionals: ['weights-folder'],
  description:
    'Turn weights (config.json with model.safetensors or an .npz, and a tokenizer; a GGUF file; or the .bin of a translation model of Firefox) or a CTC graph (.onnx) into a model folder',
  examples: [
    'foretoken import weights/teacher --out my-model',
    'foretoken import SmolLM2-135M.Q4_1.gguf --out my-model --weights float32',
    'foretoken import weights/teacher --ctc weights/student --out my-model --name my-model --licence CC-BY-4.0',
    'foretoken import recogniser.onnx --dictionary keys.txt --space last --out my-model',
  ],
  options: [
    { flag: '--out <folder>', description: 'Folder to write' },
    { flag: '--ctc <folder>', description: 'Weights of a CTC student on the same encoder' },
    { flag: '--ctc-fast <folder>', description: 'Weights of a shallower CTC student, for the fastest output' },
    { flag: '--canvas <folder>', description: 'Weights of a canvas student (conditional masked language model)' },
    { flag: '--dag <folder>', description: 'Weights of a DAG student' },
    { flag: '--edit <folder>', description: 'Weights of an edit student (Levenshtein Transformer)' },
    {
      flag: '--weights <type>',
      description: 'How weights are stored: float16 (default), float32, int8 or int4',
      values: WEIGHTS,
    },
    { flag: '--quantisation <name>', description: 'Of GGUF files on the hub: which of them, such as Q4_K_M' },
    {
      flag: '--step-layout <name>',
      description: 'Graphs of a step: heads (one for each kind of output) or body (shared weights); default: by size',
      values: STEP_LAYOUTS,
    },
    {
      flag: '--shortlist <name>',
      description: 'Of a model of Firefox: use (default, where one lies beside it) or none, to score all tokens',
      values: SHORTLISTS,
    },
    {
      flag: '--dictionary <file>',
      description: 'Of a CTC graph: its labels, as keys.txt, tokens.txt or vocab.json (default: what lies beside it)',
    },
    OPTIONS.precision,
    {
      flag: '--language <code>',
      description: 'Of a CTC graph whose vocab.json has the labels of several languages: the one it was exported for',
    },
    { flag: '--blank <class>', description: 'Of a CTC graph: number or label of the blank (default: found)' },
    {
      flag: '--space <place>',
      description: 'Of a CTC graph: last, if a space is the last class and not in the dictionary, else none',
      values: ['none', 'last'],
    },
    { flag: '--word-boundary <label>', description: 'Of a CTC graph: the label that reads as a space' },
    {
      flag: '--sample-rate <n>',
      description:
        'Of a CTC graph that hears sound: samples a second (default: what preprocessor_config.json beside it says)',
    },
    {
      flag: '--normalise',
      description: 'Of a CTC graph that hears sound: samples are scaled to mean 0 and variance 1 first',
    },
    { flag: '--name <name>', description: 'Name in the manifest' },
    { flag: '--description <text>', description: 'Description in the manifest' },
    { flag: '--licence <text>', description: 'Licence of the weights, in the manifest' },
    { flag: '--replace', description: 'Replace the folder if it exists' },
    OPTIONS.json,
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { options, io } = context;
  const out = options.text('out');
  if (out === undefined || out === '') {
    throw usageError('foretoken import needs --out, the folder to write.', { option: 'out' });
  }
  const folder = resolve(out);
  const notes: string[] = [];
  if (io.stderr.isTTY === true) {
    await context.note(`Importing ${safeText(context.positionals[0])}. Large models take minutes.\n`);
  }
  const manifest = await importOrSay(context, folder, importerOf(context, out, notes));
  const text = options.flag('json')
    ? toJson({ version: 1, folder, manifest })
    : describeManifest(folder, manifest, await context.services.describeModel(manifest));
  for (const note of notes) await write(io.stderr, `note: ${safeText(note)}\n`);
  await write(io.stdout, `${text}\n`);
  if (io.signal.aborted) await write(io.stderr, `Interrupted too late: ${safeText(folder)} was written already.\n`);
  return EXIT.ok;
}

/** The import that the command line asks for. Throws `INVALID_ARGUMENT` for options of the other kind. */
function importerOf(
  { positionals: [source], options, services, io }: CommandContext,
  out: string,
  notes: string[],
): () => Promise<ModelManifest> {
  const [name, description, licence] = ['name', 'description', 'licence'].map((option) => options.text(option));
  const common = { name, description, licence, replace: options.flag('replace'), signal: io.signal };
  const told = OF_GRAPHS.find((option) => isTold(options, option));
  if (told !== undefined || /\.onnx$/i.test(source)) {
    const graph = /\.onnx$/i.test(source) ? `${source} is a graph` : `--${told} goes with a CTC graph`;
    refuse(options, OF_WEIGHTS, `goes with weights, but ${graph}.`);
    const blank = options.text('blank');
    const ctc = {
      dictionary: options.text('dictionary'),
      precision: options.choice('precision', PRECISIONS),
      language: options.text('language'),
      blank: blank !== undefined && /^\d+$/.test(blank) ? Number(blank) : blank,
      space: options.choice('space', ['none', 'last']),
      wordBoundary: options.text('word-boundary'),
      sampleRate: options.integer('sample-rate', 1, 1_000_000),
      normalise: options.flag('normalise') || undefined,
      ...common,
    };
    return () => services.importCtcModel(source, out, ctc);
  }
  const students = STUDENTS.flatMap(([option, student]) => {
    const folder = options.text(option);
    return folder === undefined ? [] : [[student, folder] as const];
  });
  const shortlist = options.choice('shortlist', SHORTLISTS);
  const model = {
    weights: options.choice('weights', WEIGHTS),
    quantisation: options.text('quantisation'),
    stepLayout: options.choice('step-layout', STEP_LAYOUTS),
    shortlist: shortlist === undefined ? undefined : shortlist === 'use',
    ...common,
    ...Object.fromEntries(students),
    onNote: ({ message }: ImportNote) => notes.push(message),
  };
  return () => services.importModel(source, out, model);
}

const isTold = (options: Options, name: string): boolean => options.texts(name).length > 0;

function refuse(options: Options, names: readonly string[], why: string): void {
  const option = names.find((name) => isTold(options, name));
  if (option !== undefined) throw usageError(`--${option} ${why} Leave it out.`, { option });
}

/** Imports, and says so when an interruption kept it from writing anything. */
async function importOrSay(
  { io }: CommandContext,
  folder: string,
  importNow: () => Promise<ModelManifest>,
): Promise<ModelManifest> {
  try {
    return await importNow();
  } catch (error) {
    // The terminal has echoed ^C.
    const begin = io.stderr.isTTY === true ? '\n' : '';
    if (io.signal.aborted) await write(io.stderr, `${begin}Interrupted: ${safeText(folder)} is as it was.\n`);
    throw error;
  }
}
