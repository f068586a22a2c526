import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { describeManifest, describeWeights, strategiesOf, totalBytes } from '../describe-model.js';
import { EXIT } from '../errors.js';
import { toJson, write } from '../io.js';
import { precisionOf } from '../load.js';

export const inspectCommand: CommandDefinition = {
  name: 'inspect',
  positionals: ['folder'],
  description:
    'Verify a model folder and show what it holds and can do. For weights: show what importing them would make',
  examples: [
    'foretoken inspect my-model',
    'foretoken inspect my-model --json',
    'foretoken inspect SmolLM2-135M.Q4_1.gguf',
  ],
  options: [
    OPTIONS.precision,
    { flag: '--quantisation <name>', description: 'Of GGUF files on the hub: which of them, such as Q4_K_M' },
    OPTIONS.json,
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { positionals, options, services, io } = context;
  const location = positionals[0];
  const chosen = options.text('quantisation') !== undefined;
  if (chosen || (await services.holdsWeights(placeOf(location)))) return inspectWeights(context, location);
  const folder = await services.openModelFolder(location, io.signal, precisionOf(options));
  const { path, manifest } = folder;
  const described = await services.describeModel(manifest);
  const improved = await services.improvedGraphs(folder);
  const facts = improved === undefined ? [] : ([['improved graphs', improved]] as const);
  const description = { ...described, facts: [...described.facts, ...facts] };
  const text = options.flag('json')
    ? toJson({
        version: 1,
        folder: path,
        bytes: totalBytes(manifest),
        strategies: strategiesOf(description),
        outputs: description.outputs,
        improvedGraphs: improved,
        manifest,
      })
    : describeManifest(path, manifest, description);
  await write(io.stdout, `${text}\n`);
  return EXIT.ok;
}

async function inspectWeights({ options, services, io }: CommandContext, location: string): Promise<number> {
  const weights = await services.inspectWeights(location, io.signal, options.text('quantisation'));
  const { path, format, elementTypes, bytes, manifest, notes } = weights;
  const description = await services.describeModel(manifest);
  const text = options.flag('json')
    ? toJson({
        version: 1,
        weights: path,
        format,
        elementTypes,
        bytes,
        strategies: strategiesOf(description),
        outputs: description.outputs,
        notes,
        manifest,
      })
    : describeWeights(location, weights, description);
  await write(io.stdout, `${text}\n`);
  return EXIT.ok;
}

/** A path, or a `file:` URL as one; whoever opens a model says what is wrong with another. */
function placeOf(location: string): string | URL {
  try {
    return /^file:/i.test(location) ? new URL(location) : location;
  } catch {
    return location;
  }
}
