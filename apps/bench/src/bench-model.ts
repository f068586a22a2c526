import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type AutoregressiveModel, ForetokenError, type LatticeModel, type TokenSource } from '@foretoken/core';
import type { OnnxRuntime } from '@foretoken/core/runtime';
import { type LoadedModel, loadModel } from '@foretoken/models';
import type { LatticeDrafterOptions } from '@foretoken/speculative';
import * as onnxruntime from 'onnxruntime-node';

/** A loaded model that has everything the benches compare. */
export interface BenchModel {
  readonly loaded: LoadedModel;
  readonly autoregressive: AutoregressiveModel<TokenSource>;
  readonly lattice: LatticeModel<TokenSource>;
  readonly draftLattice: LatticeModel<TokenSource>;
  readonly runtime: OnnxRuntime;
}

/** Model folder of an installed package. Throws `INVALID_MODEL_FOLDER` where it is not installed. */
export function modelFolder(name: string): string {
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), 'model');
  } catch (cause) {
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `The model ${name} is not installed. Install it, or name a model folder with --model.`,
      { package: name },
      { cause },
    );
  }
}

/** Folder of the translation model that the repository ships. */
export function shippedModelFolder(): string {
  return modelFolder('@foretoken/model-multi30k-en-de');
}

/** The lattice drafter's options for a model: all that the folder offers. */
export function draftingOptions({ loaded }: BenchModel): LatticeDrafterOptions<TokenSource> {
  return loaded.speculation();
}

/** Loads the model at `folder`, or the shipped one. Throws `UNSUPPORTED_CAPABILITY` where a part is missing. */
export async function openBenchModel(folder: string | undefined, threads: number | undefined): Promise<BenchModel> {
  const runtime = onnxruntime as unknown as OnnxRuntime;
  const loaded = await loadModel(folder ?? shippedModelFolder(), {
    runtime,
    // Nothing of what is measured is opened while it is.
    open: ['autoregressive', 'lattice'],
    threads,
  });
  try {
    const autoregressive = loaded.part('autoregressive');
    const lattice = loaded.part('lattice', { lattice: 'ctc' });
    const { model: draftLattice } = loaded.speculation();
    return { loaded, autoregressive, lattice, draftLattice, runtime };
  } catch (error) {
    await loaded.dispose();
    throw error;
  }
}
