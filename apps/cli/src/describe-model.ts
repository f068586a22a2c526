import type { ModelManifest } from '@foretoken/models';
import type { StrategyName } from './strategies.js';
import { safeText } from './terminal/style.js';
import { table } from './terminal/table.js';

/** The strategies a model folder can serve, speculative with the drafters it has. */
export function strategiesOf({ graphs }: ModelManifest): Readonly<Partial<Record<StrategyName, readonly string[]>>> {
  return {
    greedy: [],
    ...(graphs.step.logits === undefined ? {} : { sampling: [] }),
    ...(graphs.step.topK === undefined ? {} : { beam: [] }),
    ...(graphs.ctc === undefined ? {} : { ctc: [] }),
    speculative: graphs.ctc === undefined ? ['ngram'] : ['lattice', 'ngram'],
  };
}

export function totalBytes({ files }: ModelManifest): number {
  return Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A manifest for people, without a line break at the end. */
export function describeManifest(folder: string, manifest: ModelManifest): string {
  const { vocabulary, limits, architecture, graphs, ctc } = manifest;
  const facts: [string, string][] = [
    ['folder', folder],
    ['licence', manifest.licence],
    ['family', `${manifest.family}, format version ${manifest.formatVersion}`],
    [
      'architecture',
      `${architecture.encoderLayers} encoder and ${architecture.decoderLayers} decoder layers, width ${architecture.width}, ${architecture.heads} heads`,
    ],
    ['vocabulary', `${vocabulary.size} tokens`],
    ['limits', `source ${limits.sourceLength}, target ${limits.targetLength} tokens`],
    ['step outputs', Object.keys(graphs.step).join(', ')],
    ...(ctc === undefined
      ? []
      : [['CTC', `${ctc.upsample} frames a source token, up to ${ctc.maxCandidates} candidates`] as [string, string]]),
    ['strategies', Object.entries(strategiesOf(manifest)).map(describeStrategy).join(', ')],
    ...Object.entries(manifest.training ?? {}).map(
      ([fact, value]) => [fact, typeof value === 'string' ? value : JSON.stringify(value)] as [string, string],
    ),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const files = Object.entries(manifest.files).map(([name, { bytes }]) => [name, kilobytes(bytes)]);
  return [
    manifest.name,
    ...(manifest.description === '' ? [] : [manifest.description]),
    '',
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    '',
    ...table([['file', 'size'], ...files, ['all files', kilobytes(totalBytes(manifest))]]),
  ]
    .map(safeText)
    .join('\n');
}

function describeStrategy([name, drafters]: readonly [string, readonly string[]]): string {
  return drafters.length === 0 ? name : `${name} (drafts from ${drafters.join(' or ')})`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toLocaleString('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 })} kB`;
}
