import { ForetokenError } from '@foretoken/core';
import type { ExportPrecision, LoadedModel } from '@foretoken/models';
import type { CommandContext } from './command.js';
import { usageError } from './errors.js';
import type { Options } from './options.js';
import { PRECISIONS } from './precisions.js';

/**
 * Loads the folder named by `--model`, or that of the default package. The caller disposes of it. Throws `UNSUPPORTED_CAPABILITY` for
 * a model that reads no text, which is all that most commands have.
 */
export async function loadChosenModel(
  context: CommandContext,
  defaultFolder: () => string = context.services.defaultModelFolder,
): Promise<LoadedModel> {
  const model = await loadAnyModel(context, defaultFolder);
  const { processor } = model;
  if (processor.isInput('a text')) return model;
  const folder = context.options.text('model') ?? defaultFolder();
  await model[Symbol.asyncDispose]();
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `The model in ${folder} reads no text: it takes ${processor.input}. This command has texts only; foretoken transcribe has recordings. Decode with it in a program: (await loadModel(folder)).decode(input, decoder).`,
    { option: 'model', received: 'a text', required: processor.input },
  );
}

/** As `loadChosenModel`, of models that read something else, too. */
export async function loadAnyModel(
  context: CommandContext,
  defaultFolder: () => string = context.services.defaultModelFolder,
): Promise<LoadedModel> {
  const { options, services, io } = context;
  const folder = options.text('model') ?? defaultFolder();
  const threads = threadsFrom(context);
  return services.loadModel(folder, {
    signal: io.signal,
    threads,
    precision: precisionOf(options),
    improveGraph: options.flag('as-exported') ? false : undefined,
  });
}

/** The graphs of an export that `--precision` chooses; the loader says which there are. */
export function precisionOf(options: Options): ExportPrecision | undefined {
  return options.choice('precision', PRECISIONS);
}

/** `--threads`. Throws `INVALID_ARGUMENT` for more than this process has processors: they would only wait for each other. */
function threadsFrom({ options, services }: CommandContext): number | undefined {
  const threads = options.integer('threads', 1, 1024);
  const max = services.cores();
  if (threads !== undefined && threads > max) {
    throw usageError(
      `--threads ${threads} is more than this process has processors: give 1 to ${max}, or leave it out and it is measured.`,
      { option: 'threads', received: threads, min: 1, max },
    );
  }
  return threads;
}
