import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ForetokenError } from '@foretoken/core';
import type { importCtcModel, importModel, inspectWeights } from '@foretoken/importers';
import type {
  GraphImprover,
  LoadedModel,
  LoadOptions,
  ModelDescription,
  ModelManifest,
  openModelFolder,
} from '@foretoken/models';
import type { holdsWeights, improvedGraphs } from '@foretoken/models/internal';
import { type Installation, inspectInstallation } from './doctor/installation.js';

/** What the commands need of the other packages; tests put scripted models in their place. */
export interface Services {
  readonly loadModel: (location: string, options?: LoadOptions) => Promise<LoadedModel>;
  readonly importModel: typeof importModel;
  /** Of a CTC graph in a file. */
  readonly importCtcModel: typeof importCtcModel;
  /** Whether a place holds weights, and no model that opens as it is. */
  readonly holdsWeights: typeof holdsWeights;
  /** What weights are, and what importing them would make. */
  readonly inspectWeights: typeof inspectWeights;
  readonly openModelFolder: typeof openModelFolder;
  /** Whether leaner graphs of an export are kept; undefined for other folders. */
  readonly improvedGraphs: typeof improvedGraphs;
  /** What a folder holds, by its family. */
  readonly describeModel: (manifest: ModelManifest) => Promise<ModelDescription>;
  /** Folder of the model that translates, a package of its own. */
  readonly defaultModelFolder: () => string;
  /** Folder of the model that corrects text. */
  readonly correctionModelFolder: () => string;
  /** Whether that is installed. */
  readonly canCorrect: () => boolean;
  readonly version: () => string;
  /** Name and version of the native runtime. */
  readonly runtime: () => string;
  /** Processors this process may use. */
  readonly cores: () => number;
  /** What this machine and this installation are. */
  readonly inspectInstallation: () => Promise<Installation>;
  /** Milliseconds since some moment, to see how long something takes. */
  readonly now: () => number;
  /** Waits; rejects with the signal's reason. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

const TRANSLATION_MODEL = '@foretoken/model-multi30k-en-de';
const CORRECTION_MODEL = '@foretoken/model-english-correction';

const require: NodeJS.Require = createRequire(import.meta.url);

const improveGraph: GraphImprover = async (...args) => (await import('@foretoken/importers')).rebuildExport(...args);

// These packages are imported when needed: help and usage errors should not wait for it.
export const services: Services = {
  loadModel: async (location, options) =>
    (await import('@foretoken/models')).loadModel(location, {
      ...options,
      improveGraph: options?.improveGraph ?? improveGraph,
    }),
  importModel: async (...args) => (await import('@foretoken/importers')).importModel(...args),
  importCtcModel: async (...args) => (await import('@foretoken/importers')).importCtcModel(...args),
  holdsWeights: async (place) => (await import('@foretoken/models/internal')).holdsWeights(place),
  inspectWeights: async (...args) => (await import('@foretoken/importers')).inspectWeights(...args),
  openModelFolder: async (...args) => (await import('@foretoken/models')).openModelFolder(...args),
  improvedGraphs: async (folder) => (await import('@foretoken/models/internal')).improvedGraphs(folder),
  describeModel: async (manifest) => {
    const { familyOf } = await import('@foretoken/models');
    return (await familyOf(manifest)).describe(manifest);
  },
  defaultModelFolder: () => modelFolder(TRANSLATION_MODEL),
  correctionModelFolder: () => modelFolder(CORRECTION_MODEL),
  canCorrect,
  version: () => packageVersion('../package.json'),
  runtime: () => `onnxruntime-node ${packageVersion('onnxruntime-node/package.json')}`,
  cores: availableParallelism,
  inspectInstallation: () => inspectInstallation({ packageVersion }),
  now: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    await delay(milliseconds, undefined, { signal });
  },
};

/** The folder of a model package, beside the command or in the project that it is run in: nobody needs both models. */
function modelFolder(name: string): string {
  try {
    const places = [dirname(fileURLToPath(import.meta.url)), process.cwd()];
    return join(dirname(require.resolve(`${name}/package.json`, { paths: places })), 'model');
  } catch (cause) {
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `The model ${name} is not installed. Run \`npm i ${name}\` (with -g where foretoken was installed so), or name a model folder with --model.`,
      { package: name },
      { cause },
    );
  }
}

function packageVersion(specifier: string): string {
  return (require(specifier) as { readonly version: string }).version;
}

function canCorrect(): boolean {
  try {
    return existsSync(join(modelFolder(CORRECTION_MODEL), 'foretoken.json'));
  } catch {
    return false;
  }
}
