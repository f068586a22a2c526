import { resolve } from 'node:path';
import type { ImportOptions } from '@foretoken/importers';
import type { ModelManifest } from '@foretoken/models';
import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { describeManifest } from '../describe-model.js';
import { EXIT, usageError } from '../errors.js';
import { toJson, write } from '../io.js';
import { safeText } from '../terminal/style.js';

/** Options that name a student's folder, and what `importModel` calls them. */
const STUDENTS = [
  ['ctc', 'ctc'],
  ['ctc-fast', 'ctcFast'],
  ['canvas', 'canvas'],
  ['dag', 'dag'],
  ['edit', 'edit'],
] as const;

export const importCommand: CommandDefinition = {
  name: 'import',
  positionals: ['weights-folder'],
  description: 'Turn weights (config.json, model.safetensors, tokenizer.json; or a GGUF file) into a model folder',
  examples: [
    'foretoken import weights/teacher --out my-model',
    'foretoken import SmolLM2-135M.Q4_1.gguf --out my-model --weights float32',
    'foretoken import weights/teacher --ctc weights/student --out my-model --name my-model --licence CC-BY-4.0',
  ],
  options: [
    { flag: '--out <folder>', description: 'Folder to write' },
    { flag: '--ctc <folder>', description: 'Weights of a CTC student on the same encoder' },
    { flag: '--ctc-fast <folder>', description: 'Weights of a shallower CTC student, for output at most speed' },
    { flag: '--canvas <folder>', description: 'Weights of a canvas student (conditional masked language model)' },
    { flag: '--dag <folder>', description: 'Weights of a DAG student' },
    { flag: '--edit <folder>', description: 'Weights of an edit student (Levenshtein Transformer)' },
    { flag: '--weights <type>', description: 'How weights are stored: float16 (default), float32, int8 or int4' },
    {
      flag: '--step-layout <name>',
      description: 'Graphs of a step: heads (one for each kind of output) or body (shared weights); default: by size',
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
  const weights = options.choice('weights', ['float16', 'float32', 'int8', 'int4']);
  const stepLayout = options.choice('step-layout', ['heads', 'body']);
  const [name, description, licence] = ['name', 'description', 'licence'].map((option) => options.text(option));
  const students = STUDENTS.flatMap(([option, student]) => {
    const folder = options.text(option);
    return folder === undefined ? [] : [[student, folder] as const];
  });
  const folder = resolve(out);
  const notes: string[] = [];
  const manifest = await importOrSay(context, folder, {
    weights,
    stepLayout,
    name,
    description,
    licence,
    ...Object.fromEntries(students),
    replace: options.flag('replace'),
    signal: io.signal,
    onNote: ({ message }) => notes.push(message),
  });
  const text = options.flag('json')
    ? toJson({ version: 1, folder, manifest })
    : describeManifest(folder, manifest, await context.services.describeModel(manifest));
  for (const note of notes) await write(io.stderr, `note: ${safeText(note)}\n`);
  await write(io.stdout, `${text}\n`);
  if (io.signal.aborted) await write(io.stderr, `Interrupted too late: ${safeText(folder)} was written already.\n`);
  return EXIT.ok;
}

/** Imports, and says so when an interruption kept it from writing anything. */
async function importOrSay(
  { positionals, options, services, io }: CommandContext,
  folder: string,
  importOptions: ImportOptions,
): Promise<ModelManifest> {
  try {
    return await services.importModel(positionals[0], options.text('out')!, importOptions);
  } catch (error) {
    // The terminal has echoed ^C.
    const begin = io.stderr.isTTY === true ? '\n' : '';
    if (io.signal.aborted) await write(io.stderr, `${begin}Interrupted: ${safeText(folder)} is as it was.\n`);
    throw error;
  }
}
