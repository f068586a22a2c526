import { ForetokenError, type TokenSource } from '@foretoken/core';
import type { LoadedModel } from '@foretoken/models';
import { type DiagnoseOptions, type Diagnosis, diagnose } from '@foretoken/one-shot';
import type { Failure } from './nar-measure.js';
import { partsOf } from './nar-models.js';
import { referenceTokens } from './nar-rows.js';

/** Strategies that stand for their family, and the part whose disagreement is measured on their outputs. */
const FAMILIES: readonly (readonly [strategy: string, part?: 'lattice' | 'canvas' | 'dag'])[] = [
  ['greedy'],
  ['beam4'],
  ['ctc-greedy', 'lattice'],
  ['nat', 'canvas'],
  ['mask-predict-10', 'canvas'],
  ['dag-greedy', 'dag'],
  ['levenshtein'],
];

/** The disagreement of a canvas model needs a canvas a token, so it is measured on a part of a test set. */
const SENTENCES = 200;

export interface Diagnoses {
  /** By strategy, and of the references. */
  readonly diagnosis: Readonly<Record<string, Diagnosis>>;
  /** What a typed error kept from being diagnosed. */
  readonly failures: readonly Failure[];
}

/** Faults of the references and of each family's outputs, over the first sentences. */
export async function diagnoseFamilies(
  loaded: LoadedModel,
  sources: readonly TokenSource[],
  references: readonly string[],
  outputsOf: (strategy: string) => readonly Int32Array[] | undefined,
): Promise<Diagnoses> {
  const read = referenceTokens(loaded.tokenizer, references);
  // All figures are of the same sentences, those whose reference can be read.
  const chosen = [...sources.keys()].filter((index) => read[index] !== undefined).slice(0, SENTENCES);
  if (chosen.length === 0) return { diagnosis: {}, failures: [] };
  const wanted = chosen.map((index) => read[index] as Int32Array);
  const diagnosis: Record<string, Diagnosis> = { references: await diagnose({ outputs: wanted }) };
  const failures: Failure[] = [];
  for (const [strategy, part] of FAMILIES) {
    const all = outputsOf(strategy);
    if (all === undefined) continue;
    const plain: DiagnoseOptions = { outputs: chosen.map((index) => all[index]), references: wanted };
    const model = part === undefined ? undefined : partsOf(loaded)[part];
    try {
      diagnosis[strategy] = await diagnose(
        model === undefined ? plain : { ...plain, model, sources: chosen.map((index) => sources[index]) },
      );
    } catch (error) {
      if (!ForetokenError.isInstance(error)) throw error;
      failures.push({ strategy: `diagnosis of ${strategy}`, code: error.code, message: error.message });
    }
  }
  return { diagnosis, failures };
}
