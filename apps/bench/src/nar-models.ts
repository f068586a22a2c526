import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AutoregressiveModel, CanvasModel, EditModel, LatticeModel, TokenSource } from '@foretoken/core';
import type { OnnxRuntime } from '@foretoken/core/runtime';
import type { LanguageModel } from '@foretoken/language-models';
import { type LoadedModel, loadModel } from '@foretoken/models';
import * as onnxruntime from 'onnxruntime-node';
import { shippedModelFolder } from './bench-model.js';

/** The shipped folder, and the controls: students of raw and of distilled data, and a teacher with one decoder layer. */
const NAR_MODELS = ['shipped', 'deep-shallow', 'raw', 'distilled'] as const;
export type NarModelName = (typeof NAR_MODELS)[number];

/** What strategies may need of a folder. */
export interface Parts {
  readonly autoregressive: AutoregressiveModel<TokenSource>;
  readonly lattice: LatticeModel<TokenSource>;
  /** Encoder and CTC student with 8-bit products. */
  readonly fastLattice: LatticeModel<TokenSource>;
  readonly canvas: CanvasModel<TokenSource>;
  readonly dag: LatticeModel<TokenSource>;
  readonly edit: EditModel<TokenSource>;
  readonly languageModel: LanguageModel;
}

/** Those of a folder; `undefined` where it has none. */
export type FoundParts = { readonly [Name in keyof Parts]?: Parts[Name] | undefined };

export type PartName = keyof Parts;

/** The folders that are there, loaded. Dispose releases all of them. */
export interface NarModels extends AsyncDisposable {
  readonly loaded: Readonly<Partial<Record<NarModelName, LoadedModel>>>;
  readonly threads: number;
}

export interface NarModelOptions {
  /** In place of the shipped folder. */
  readonly folder?: string | undefined;
  /** Folder of the controls, by name; default: beside the shipped folder's package, if that is what is measured. */
  readonly controls?: string | undefined;
  readonly threads?: number | undefined;
  /** Measure thread count and grid widths at load (default true). */
  readonly probe?: boolean | undefined;
}

/** What a folder has. */
export function partsOf(loaded: LoadedModel): FoundParts {
  return {
    autoregressive: loaded.find('autoregressive'),
    lattice: loaded.find('lattice', { lattice: 'ctc' }),
    fastLattice: loaded.find('lattice', { lattice: 'ctc', variant: 'fast' }),
    canvas: loaded.find('canvas'),
    dag: loaded.find('lattice', { lattice: 'dag' }),
    edit: loaded.find('edit'),
    languageModel: loaded.find('languageModel'),
  };
}

/** Loads all folders there are, on the same number of threads: the one probed for the first, unless it is given. */
export async function openNarModels({ folder, controls, threads, probe = true }: NarModelOptions): Promise<NarModels> {
  const runtime = onnxruntime as unknown as OnnxRuntime;
  const shipped = await loadModel(folder ?? shippedModelFolder(), {
    runtime,
    probe,
    threads,
  });
  const opened: [NarModelName, LoadedModel][] = [['shipped', shipped]];
  const dispose = async (): Promise<void> => {
    for (const [, model] of opened) await model[Symbol.asyncDispose]();
  };
  const beside = controls ?? (folder === undefined ? controlsFolder() : undefined);
  try {
    for (const name of NAR_MODELS.slice(1)) {
      if (beside === undefined || !(await exists(join(beside, name, 'foretoken.json')))) continue;
      opened.push([name, await loadModel(join(beside, name), { runtime, probe, threads: shipped.threads })]);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return { loaded: Object.fromEntries(opened), threads: shipped.threads, [Symbol.asyncDispose]: dispose };
}

/** Where the controls lie in the repository; they are no npm package. */
function controlsFolder(): string {
  const packageFolder = dirname(shippedModelFolder());
  return `${packageFolder}-controls`;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
