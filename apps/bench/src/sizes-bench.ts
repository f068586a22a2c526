import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

/** What is imported of a package's entry; default: all of it. */
interface SizedImport {
  readonly package: string;
  readonly name?: string | undefined;
  /** Largest size, minified and compressed, in bytes. */
  readonly limit: number;
}

const DECODERS: Readonly<Record<string, readonly string[]>> = {
  greedy: ['greedy', 'sampling'],
  beam: ['beamSearch', 'stochasticBeam', 'contrastiveSearch'],
  'one-shot': ['ctcGreedy', 'ctcPrefixBeam', 'nat', 'dagGreedy', 'dagViterbi', 'dagBeam', 'dagSampling'],
  refine: ['maskPredict', 'maskCtc', 'easyFirst', 'skeletonFirst', 'maskedDiffusion', 'levenshtein', 'insertion'],
  speculative: ['speculative'],
};

/** The contract, each decoder by itself, and what loads models in a browser. */
export const SIZED: readonly SizedImport[] = [
  { package: 'core', limit: 6000 },
  ...Object.entries(DECODERS).flatMap(([name, decoders]) =>
    decoders.map((decoder) => ({ package: name, name: decoder, limit: 10_000 })),
  ),
  // 25,000 is wanted; readers of SentencePiece models, of servers and of memory, and decoder-only models came on top.
  { package: 'models', limit: 40_000 },
];

interface Bundler {
  build(options: object): Promise<{ readonly output: readonly { readonly code?: string | undefined }[] }>;
}

/** The bundler that the builds use. */
async function bundler(): Promise<Bundler> {
  const tsdown = createRequire(import.meta.url).resolve('tsdown');
  return (await import(pathToFileURL(createRequire(tsdown).resolve('rolldown')).href)) as Bundler;
}

/** Bytes of what a program imports, minified and compressed with gzip; what that imports of other packages is not in it. */
export async function sizeOf({ package: folder, name }: SizedImport): Promise<number> {
  const { build } = await bundler();
  // The same from sources and from the built bench, both two folders below the workspace's.
  const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
  const index = join(root, 'packages', folder, 'src', folder === 'models' ? 'web.ts' : 'index.ts');
  const program = `export ${name === undefined ? '*' : `{ ${name} }`} from ${JSON.stringify(index)};`;
  const { output } = await build({
    input: 'program',
    external: (id: string) => id !== 'program' && !id.startsWith('.') && !id.startsWith('/'),
    plugins: [
      {
        name: 'program',
        resolveId: (id: string) => (id === 'program' ? id : undefined),
        load: (id: string) => (id === 'program' ? program : undefined),
      },
    ],
    // As the packages say of themselves.
    treeshake: { moduleSideEffects: false },
    platform: 'neutral',
    write: false,
    logLevel: 'silent',
    output: { minify: true, format: 'esm' },
  });
  return output.reduce((sum, { code = '' }) => sum + gzipSync(code, { level: 9 }).length, 0);
}

export const labelOf = ({ package: folder, name }: SizedImport): string =>
  name === undefined ? `@foretoken/${folder}` : `${name} of @foretoken/${folder}`;

/** Sizes of all that has a limit. */
export async function sizesBench(): Promise<Record<string, { readonly bytes: number; readonly limit: number }>> {
  const sizes = SIZED.map(async (one) => [labelOf(one), { bytes: await sizeOf(one), limit: one.limit }] as const);
  return Object.fromEntries(await Promise.all(sizes));
}
