import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundle, type Chunk, WORKSPACE } from './size-bundles.js';
import { chunksLoaded } from './size-loading.js';

/** What is imported of a package's entry; default: all of it. */
interface SizedImport {
  readonly package: string;
  readonly name?: string | undefined;
  /** Largest size alone, minified and compressed, in bytes. */
  readonly limit: number;
}

const DECODERS: Readonly<Record<string, readonly string[]>> = {
  greedy: ['greedy', 'sampling'],
  beam: ['beamSearch', 'stochasticBeam', 'contrastiveSearch'],
  'one-shot': ['ctcGreedy', 'ctcPrefixBeam', 'nat', 'dagGreedy', 'dagViterbi', 'dagBeam', 'dagSampling'],
  refine: ['maskPredict', 'maskCtc', 'easyFirst', 'skeletonFirst', 'maskedDiffusion', 'levenshtein', 'insertion'],
  speculative: ['speculative'],
};

/** The contract, each decoder by itself, the adapters to other frameworks, and what loads models in a browser. */
export const SIZED: readonly SizedImport[] = [
  { package: 'core', limit: 6000 },
  ...Object.entries(DECODERS).flatMap(([name, decoders]) =>
    decoders.map((decoder) => ({ package: name, name: decoder, limit: 10_000 })),
  ),
  ...['ai-sdk', 'langchain', 'opentelemetry', 'streams'].map((name) => ({ package: name, limit: 10_000 })),
  { package: 'models', limit: 25_000 },
];

/**
 * Largest size of what loading the shipped folder takes, of the entry and of chunks together. Some 450 bytes of it check what authors
 * of parts, processors and files in memory give, some 300 tell states of recurrent decoders from keys and values, some 300 read
 * the initial outputs that are given with texts. What families share is in chunks of its own, so each further family costs some
 * 100 bytes here, and none in the entry.
 */
export const SHIPPED_LIMIT = 41_000;

/** Which files are counted: a package's own alone, or with all that it needs of `@foretoken/core`. */
export type Reading = 'alone' | 'withCore';

const OWN = /^[./]/;
const OWN_OR_CORE = /^(?:[./]|@foretoken\/core(?:\/|$))/;

/** The files of an import, whatever they import of other packages left out. */
export async function chunksOf(
  { package: folder, name }: SizedImport,
  reading: Reading = 'alone',
): Promise<readonly Chunk[]> {
  const index = join(WORKSPACE, 'packages', folder, 'src', folder === 'models' ? 'web.ts' : 'index.ts');
  return bundle({
    program: `export ${name === undefined ? '*' : `{ ${name} }`} from ${JSON.stringify(index)};`,
    external: (id) => !(reading === 'alone' ? OWN : OWN_OR_CORE).test(id),
  });
}

/** The entry and all that it always loads, or a chunk of `import()` and what it loads with it. */
export function filesWith(chunks: readonly Chunk[], first: Chunk | undefined): ReadonlySet<Chunk> {
  const found = new Set<Chunk>();
  const add = (chunk: Chunk | undefined): void => {
    if (chunk === undefined || found.has(chunk)) return;
    found.add(chunk);
    for (const file of chunk.imports) add(chunks.find(({ fileName }) => fileName === file));
  };
  add(first);
  return found;
}

const entryOf = (chunks: readonly Chunk[]): ReadonlySet<Chunk> =>
  filesWith(
    chunks,
    chunks.find(({ isEntry }) => isEntry),
  );

/** Bytes of files, minified and each compressed with gzip. */
export function bytesOf(chunks: Iterable<Chunk>): number {
  return [...chunks].reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
}

/** Bytes of what a program always loads of an import. */
export async function sizeOf(sized: SizedImport, reading?: Reading): Promise<number> {
  return bytesOf(entryOf(await chunksOf(sized, reading)));
}

/** Bytes of a package that loads more when it is needed. */
export interface ChunkedSize {
  /** What is always loaded. */
  readonly entry: number;
  /** What each `import()` adds to the entry, by the module it is of; two that share a file both have it. */
  readonly chunks: Readonly<Record<string, number>>;
  /** Entry and all chunks that loading the shipped folder takes, with every part. */
  readonly shippedFolder: number;
  /** These chunks. */
  readonly shippedChunks: readonly string[];
  /** Entry and all chunks. */
  readonly all: number;
}

/** Sizes of `@foretoken/models` and of what it loads when a folder needs it. */
export async function modelsSize(reading?: Reading): Promise<ChunkedSize> {
  const chunks = await chunksOf({ package: 'models', limit: 0 }, reading);
  const entry = entryOf(chunks);
  const dynamic = chunks.filter(({ isDynamicEntry }) => isDynamicEntry);
  const loaded = await chunksLoaded();
  const shippedChunks = loaded.map((id) => {
    const chunk = dynamic.find(({ facadeModuleId }) => facadeModuleId === id);
    // It would be left out of the sum.
    if (chunk === undefined) throw new Error(`${id} was loaded, but no chunk is of it.`);
    return chunk;
  });
  const shipped = new Set([...entry, ...shippedChunks.flatMap((chunk) => [...filesWith(chunks, chunk)])]);
  const added = (chunk: Chunk): number => bytesOf([...filesWith(chunks, chunk)].filter((file) => !entry.has(file)));
  const nameOf = ({ facadeModuleId, fileName }: Chunk): string =>
    facadeModuleId?.replace(/^.*\/src\//, '').replace(/\.ts$/, '') ?? fileName;
  return {
    entry: bytesOf(entry),
    chunks: Object.fromEntries(dynamic.map((chunk) => [nameOf(chunk), added(chunk)])),
    shippedFolder: bytesOf(shipped),
    shippedChunks: shippedChunks.map(nameOf),
    all: bytesOf(chunks),
  };
}

export const labelOf = ({ package: folder, name }: SizedImport): string =>
  name === undefined ? `@foretoken/${folder}` : `${name} of @foretoken/${folder}`;

/** Both readings of an import's size, in bytes; the limit is for what it takes alone. */
interface SizeReport extends Readonly<Record<Reading, number>> {
  readonly limit: number;
}

/** Sizes of all that has a limit, and of what `@foretoken/models` loads when it is needed. */
export async function sizesBench(): Promise<{
  readonly sizes: Readonly<Record<string, SizeReport>>;
  readonly chunks: ChunkedSize;
  readonly shippedFolder: SizeReport;
}> {
  const reports = SIZED.map(async (one): Promise<readonly [string, SizeReport]> => {
    const [alone, withCore] = await Promise.all([sizeOf(one), sizeOf(one, 'withCore')]);
    return [labelOf(one), { alone, withCore, limit: one.limit }];
  });
  const sizes = Object.fromEntries(await Promise.all(reports));
  const chunks = await modelsSize();
  const { shippedFolder: withCore } = await modelsSize('withCore');
  return { sizes, chunks, shippedFolder: { alone: chunks.shippedFolder, withCore, limit: SHIPPED_LIMIT } };
}
