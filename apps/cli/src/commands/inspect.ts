import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { describeManifest, strategiesOf, totalBytes } from '../describe-model.js';
import { EXIT } from '../errors.js';
import { toJson, write } from '../io.js';
import { precisionOf } from '../load.js';

export const inspectCommand: CommandDefinition = {
  name: 'inspect',
  positionals: ['folder'],
  description: 'Verify a model folder and show what it holds and what it can do',
  examples: ['foretoken inspect my-model', 'foretoken inspect my-model --json'],
  options: [OPTIONS.precision, OPTIONS.json],
  run,
};

async function run({ positionals, options, services, io }: CommandContext): Promise<number> {
  const { path, manifest } = await services.openModelFolder(positionals[0], io.signal, precisionOf(options));
  const description = await services.describeModel(manifest);
  const text = options.flag('json')
    ? toJson({
        version: 1,
        folder: path,
        bytes: totalBytes(manifest),
        strategies: strategiesOf(description),
        outputs: description.outputs,
        manifest,
      })
    : describeManifest(path, manifest, description);
  await write(io.stdout, `${text}\n`);
  return EXIT.ok;
}
