import type { MarianManifest, ModelManifest } from '@foretoken/models';
import { STRATEGIES_OF, type StrategyName } from './strategy-names.js';
import { safeText } from './terminal/style.js';
import { table } from './terminal/table.js';

/** The strategies a model folder can serve, speculative with the drafters it has. */
export function strategiesOf(manifest: ModelManifest): Readonly<Partial<Record<StrategyName, readonly string[]>>> {
  const onCanvas = (drafts: boolean): readonly StrategyName[] =>
    STRATEGIES_OF.canvas.filter((name) => drafts || name !== 'mask-ctc');
  if (manifest.family === 'masked-lm') return named(onCanvas(false));
  const { graphs } = manifest;
  return {
    greedy: [],
    ...(graphs.step.logits === undefined ? {} : { sampling: [] }),
    ...(graphs.step.topK === undefined ? {} : { beam: [] }),
    speculative: graphs.ctc === undefined ? ['ngram'] : ['lattice', 'ngram'],
    ...(graphs.ctc === undefined ? {} : named(STRATEGIES_OF.lattice)),
    ...(graphs.canvas === undefined ? {} : named(onCanvas(graphs.ctc !== undefined))),
    ...(graphs.dag === undefined ? {} : named(STRATEGIES_OF.dag)),
    ...(graphs.edit === undefined ? {} : named(STRATEGIES_OF.edit)),
  };
}

function named(strategies: readonly StrategyName[]): Partial<Record<StrategyName, readonly string[]>> {
  return Object.fromEntries(strategies.map((name) => [name, []]));
}

/** Output kinds of the model's own graphs. */
export function outputsOf(manifest: ModelManifest): string[] {
  return Object.keys(manifest.family === 'marian' ? manifest.graphs.step : manifest.graphs.fill);
}

export function totalBytes({ files }: ModelManifest): number {
  return Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A manifest for people, without a line break at the end. */
export function describeManifest(folder: string, manifest: ModelManifest): string {
  const { vocabulary, limits } = manifest;
  const strategies = Object.entries(strategiesOf(manifest));
  const facts: [string, string][] = [
    ['folder', folder],
    ['licence', manifest.licence],
    ['family', `${manifest.family}, format version ${manifest.formatVersion}`],
    ['architecture', describeArchitecture(manifest)],
    ['vocabulary', `${vocabulary.size} tokens`],
    ['limits', `source ${limits.sourceLength}, target ${limits.targetLength} tokens`],
    [manifest.family === 'marian' ? 'step outputs' : 'fill outputs', outputsOf(manifest).join(', ')],
    ...(manifest.family === 'marian' ? describeStudents(manifest) : []),
    ...(strategies.length === 0
      ? []
      : [['strategies', strategies.map(describeStrategy).join(', ')] as [string, string]]),
    ...Object.entries(manifest.training ?? {}).map(
      ([fact, value]) => [fact, typeof value === 'string' ? value : JSON.stringify(value)] as [string, string],
    ),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const files = Object.entries(manifest.files).map(([name, { bytes }]) => [name, kilobytes(bytes)]);
  return [
    manifest.name,
    ...(manifest.description === '' ? [] : manifest.description.split('\n')),
    '',
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    '',
    ...table([['file', 'size'], ...files, ['all files', kilobytes(totalBytes(manifest))]]),
  ]
    .map(safeText)
    .join('\n');
}

function describeArchitecture(manifest: ModelManifest): string {
  const { width, heads } = manifest.architecture;
  const layers =
    manifest.family === 'marian'
      ? `${manifest.architecture.encoderLayers} encoder and ${manifest.architecture.decoderLayers} decoder layers`
      : `${manifest.architecture.layers} layers`;
  return `${layers}, width ${width}, ${heads} heads`;
}

function describeStudents({ ctc, canvas, dag, edit, graphs }: MarianManifest): [string, string][] {
  const facts: [string, string | undefined][] = [
    ['CTC', ctc && `${ctc.upsample} frames a source token, up to ${ctc.maxCandidates} candidates`],
    [
      'canvas',
      canvas &&
        `${canvas.layers} layers, up to ${canvas.maxLength} positions, ${Object.keys(graphs.canvas?.fill ?? {}).join(', ')}${canvas.lengths === undefined ? '' : ', predicts lengths'}${readsDrafts(graphs.canvas)}`,
    ],
    ['DAG', dag && `${dag.upsample} vertices a source token, up to ${dag.maxCandidates} candidates`],
    ['edit', edit && `${edit.layers} layers, up to ${edit.maxLength} positions${readsDrafts(graphs.edit)}`],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
}

function readsDrafts(files: { readonly openDrafts?: string } | undefined): string {
  return files?.openDrafts !== undefined ? ', reads drafts of the CTC student' : '';
}

function describeStrategy([name, drafters]: readonly [string, readonly string[]]): string {
  return drafters.length === 0 ? name : `${name} (drafts from ${drafters.join(' or ')})`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toLocaleString('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 })} kB`;
}
