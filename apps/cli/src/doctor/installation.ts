import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** A package that is there, or why it cannot be used. */
export type Installed =
  | { readonly version: string; readonly problem?: undefined }
  | { readonly version?: string | undefined; readonly problem: string };

/** What `doctor` looks at; nothing here is judged. */
export interface Installation {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  /** Version of glibc; undefined with another C library, or none. */
  readonly glibc?: string | undefined;
  readonly processor: string;
  /** Processors that this process may use, and those of the machine. */
  readonly cores: number;
  readonly allCores: number;
  /** What of the processor's features matters to matrix products; undefined where the system does not tell. */
  readonly features?: readonly string[] | undefined;
  readonly memoryBytes: number;
  readonly runtime: Installed;
  /** What ONNX Runtime can compute on. */
  readonly backends: readonly string[];
  readonly models: Readonly<Record<'translation' | 'correction', Installed>>;
}

const FEATURES = [
  'sse4_1',
  'avx',
  'avx2',
  'fma',
  'f16c',
  'avx512f',
  'avx512_vnni',
  'avx_vnni',
  'amx_int8',
  'asimd',
  'asimddp',
  'asimdhp',
  'i8mm',
  'sve',
];

export const MODEL_PACKAGES = {
  translation: '@foretoken/model-multi30k-en-de',
  correction: '@foretoken/model-english-correction',
} as const;

export interface Lookups {
  /** Version that a package.json tells. Throws where there is none. */
  readonly packageVersion: (specifier: string) => string;
}

export async function inspectInstallation({ packageVersion }: Lookups): Promise<Installation> {
  const version = (name: string): Installed => {
    try {
      return { version: packageVersion(`${name}/package.json`) };
    } catch {
      return { problem: 'not installed' };
    }
  };
  const { runtime, backends } = await openRuntime(version('onnxruntime-node'));
  return {
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    glibc: glibcVersion(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    allCores: cpus().length,
    features: await processorFeatures(),
    memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
    runtime,
    backends,
    models: { translation: version(MODEL_PACKAGES.translation), correction: version(MODEL_PACKAGES.correction) },
  };
}

interface Backends {
  listSupportedBackends?(): readonly { readonly name: string }[];
}

/** A package may be there whose native part is not, or does not open here. */
async function openRuntime(found: Installed): Promise<Pick<Installation, 'runtime' | 'backends'>> {
  if (found.problem !== undefined) return { runtime: found, backends: [] };
  try {
    const name = 'onnxruntime-node';
    const module = (await import(name)) as Backends & { readonly default?: Backends | undefined };
    const backends = (module.listSupportedBackends ?? module.default?.listSupportedBackends)?.() ?? [];
    return { runtime: found, backends: backends.map((backend) => backend.name) };
  } catch (error) {
    const problem = (error as Error).message.split('\n')[0];
    return { runtime: { version: found.version, problem }, backends: [] };
  }
}

function glibcVersion(): string | undefined {
  const report = process.report?.getReport() as {
    readonly header?: { readonly glibcVersionRuntime?: string | undefined } | undefined;
  };
  return report?.header?.glibcVersionRuntime;
}

async function processorFeatures(): Promise<readonly string[] | undefined> {
  try {
    const text = await readFile('/proc/cpuinfo', 'utf8');
    const flags = /^(?:flags|Features)[ \t]*:(.*)$/m.exec(text)?.[1]?.trim().split(' ');
    return flags && FEATURES.filter((feature) => flags.includes(feature));
  } catch {
    return undefined;
  }
}
