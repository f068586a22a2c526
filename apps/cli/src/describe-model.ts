import { largest } from '@foretoken/core/kit';
import type { WeightsDescription } from '@foretoken/importers';
import type { ModelDescription, ModelManifest } from '@foretoken/models';
import { type Part, STRATEGIES_OF, type StrategyName } from './strategy-names.js';
import { safeText } from './terminal/style.js';
import { table } from './terminal/table.js';

/** The strategies a model folder can serve, speculative with the drafters it has. */
export function strategiesOf({
  parts,
  outputs,
  ownSourceTokens = false,
}: ModelDescription): Readonly<Partial<Record<StrategyName, readonly string[]>>> {
  const has = (part: Part): boolean =>
    parts.some(({ kind, lattice, variant }) => variant === 'exact' && (lattice ?? kind) === part);
  const drafts = parts.some(({ lattice, variant }) => lattice === 'ctc' && ['draft', 'exact'].includes(variant));
  const onCanvas = STRATEGIES_OF.canvas.filter((name) => has('ctc') || name !== 'mask-ctc');
  const strategies: Partial<Record<StrategyName, readonly string[]>> = {};
  const offer = (names: readonly StrategyName[]): void => {
    for (const name of names) strategies[name] = [];
  };
  if (has('autoregressive')) {
    offer(['greedy']);
    if (outputs.includes('logits')) offer(['sampling']);
    if (outputs.includes('topK')) offer(['beam']);
    strategies.speculative = [...(drafts ? ['lattice'] : []), ...(ownSourceTokens ? [] : ['copy']), 'ngram'];
  }
  if (has('ctc')) offer(STRATEGIES_OF.ctc);
  if (has('canvas')) offer(onCanvas);
  if (has('dag')) offer(STRATEGIES_OF.dag);
  if (has('edit')) offer(STRATEGIES_OF.edit);
  return strategies;
}

export function totalBytes({ files }: ModelManifest): number {
  return Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Weights for people: what they are, and what importing them would make of them. */
export function describeWeights(location: string, weights: WeightsDescription, description: ModelDescription): string {
  const { format, elementTypes, bytes, manifest, notes } = weights;
  return [
    manifest.name,
    '',
    ...aligned([
      ['weights', weights.path],
      ['format', `${format}, ${elementTypes.join(', ')}, ${kilobytes(bytes)}`],
      ...factsOf(manifest, description),
    ]),
    ...notes.map(({ message }) => `note: ${message}`),
    '',
    `To use it: foretoken import ${location} --out my-model`,
  ]
    .map(safeText)
    .join('\n');
}

/** A manifest for people, without a line break at the end. */
export function describeManifest(folder: string, manifest: ModelManifest, description: ModelDescription): string {
  const training = Object.entries(manifest.training ?? {}).map(
    ([fact, value]) => [fact, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  );
  const files = Object.entries(manifest.files).map(([name, { bytes }]) => [name, kilobytes(bytes)]);
  return [
    manifest.name,
    ...(manifest.description === '' ? [] : manifest.description.split('\n')),
    '',
    ...aligned([['folder', folder], ['licence', manifest.licence], ...factsOf(manifest, description), ...training]),
    '',
    ...table([['file', 'size'], ...files, ['all files', kilobytes(totalBytes(manifest))]]),
  ]
    .map(safeText)
    .join('\n');
}

type Facts = readonly (readonly [name: string, fact: string])[];

/** What a manifest says of the model itself. */
function factsOf(manifest: ModelManifest, description: ModelDescription): Facts {
  const { vocabulary, limits } = manifest;
  const strategies = Object.entries(strategiesOf(description));
  return [
    ['family', `${manifest.family}, format version ${manifest.formatVersion}`],
    ['architecture', description.architecture],
    ['vocabulary', `${vocabulary.size} tokens`],
    ['limits', `source ${limits.sourceLength}, target ${limits.targetLength} tokens`],
    [`${description.outputsOf} outputs`, description.outputs.join(', ')],
    ...description.facts,
    ...(strategies.length === 0 ? [] : [['strategies', strategies.map(describeStrategy).join(', ')] as const]),
  ];
}

function aligned(facts: Facts): string[] {
  const width = largest(facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

function describeStrategy([name, drafters]: readonly [string, readonly string[]]): string {
  if (drafters.length === 0) return name;
  const others = drafters.slice(0, -1).join(', ');
  return `${name} (drafts from ${others === '' ? '' : `${others} or `}${drafters.at(-1)})`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toLocaleString('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 })} kB`;
}
