import type { ExportPrecision, LoadedModel } from '@foretoken/models';
import type { Options } from './arguments.js';
import type { CommandContext } from './command.js';

/** As transformers.js calls them; known here too, so that help waits for no package. */
const PRECISIONS: readonly ExportPrecision[] = [
  'fp32',
  'fp16',
  'q8',
  'int8',
  'uint8',
  'q4',
  'q4f16',
  'bnb4',
  'q2',
  'q2f16',
  'q1',
  'q1f16',
];

/** Loads the folder named by `--model`, or the one that comes with the command. The caller disposes of it. */
export function loadChosenModel(
  { options, services, io }: CommandContext,
  defaultFolder: () => string = services.defaultModelFolder,
): Promise<LoadedModel> {
  const folder = options.text('model') ?? defaultFolder();
  const threads = options.integer('threads', 1, 1024);
  return services.loadModel(folder, { signal: io.signal, threads, precision: precisionOf(options) });
}

/** The graphs of an export that `--precision` chooses; the loader says which there are. */
export function precisionOf(options: Options): ExportPrecision | undefined {
  return options.choice('precision', PRECISIONS);
}
