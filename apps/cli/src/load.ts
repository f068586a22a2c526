import type { LoadedModel } from '@foretoken/models';
import type { CommandContext } from './command.js';

/** Loads the folder named by `--model`, or the one that comes with the command. The caller disposes of it. */
export function loadChosenModel(
  { options, services, io }: CommandContext,
  defaultFolder: () => string = services.defaultModelFolder,
): Promise<LoadedModel> {
  const folder = options.text('model') ?? defaultFolder();
  const threads = options.integer('threads', 1, 1024);
  return services.loadModel(folder, { signal: io.signal, threads });
}
