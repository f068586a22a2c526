import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A file that a bundler makes. */
export interface Chunk {
  readonly fileName: string;
  readonly code: string;
  /** Files that come with it. */
  readonly imports: readonly string[];
  readonly isEntry: boolean;
  /** Whether it is loaded by `import()`, and of which module it then is. */
  readonly isDynamicEntry: boolean;
  readonly facadeModuleId: string | null;
}

interface Bundler {
  build(options: object): Promise<{ readonly output: readonly Chunk[] }>;
}

export interface BundleOptions {
  /** Source of the program; it may import files of the workspace by their absolute paths. */
  readonly program: string;
  /** Modules that stay outside. */
  readonly external: (id: string) => boolean;
  /** Begins the code of each file. */
  readonly banner?: ((chunk: Chunk) => string) | undefined;
}

/** The workspace; sources and the built bench both lie two folders below it. */
export const WORKSPACE: string = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** The bundler that the builds use. */
async function bundler(): Promise<Bundler> {
  const tsdown = createRequire(join(WORKSPACE, 'package.json')).resolve('tsdown');
  return (await import(pathToFileURL(createRequire(tsdown).resolve('rolldown')).href)) as Bundler;
}

/** Bundles and minifies a program as that of an application; what it loads by `import()` comes in files of its own. */
export async function bundle({ program, external, banner }: BundleOptions): Promise<readonly Chunk[]> {
  const { build } = await bundler();
  const { output } = await build({
    input: 'program',
    external: (id: string) => id !== 'program' && external(id),
    plugins: [
      {
        name: 'program',
        resolveId: (id: string) => (id === 'program' ? id : undefined),
        load: (id: string) => (id === 'program' ? program : undefined),
      },
    ],
    // As the packages say of themselves.
    treeshake: { moduleSideEffects: false },
    // What entry and chunks share is in the entry.
    preserveEntrySignatures: 'allow-extension',
    resolve: { conditionNames: ['foretoken-source', 'import', 'default'] },
    platform: 'neutral',
    write: false,
    logLevel: 'silent',
    output: { minify: true, format: 'esm', banner },
  });
  return output;
}
