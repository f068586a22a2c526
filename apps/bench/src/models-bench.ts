import { machineReport } from './machine.js';
import type { ModelFigures, ModelRow } from './models/model-row.js';
import { MODEL_ROWS } from './models/model-rows.js';
import { realModel } from './real-models.js';

export interface ModelReport extends Partial<ModelFigures> {
  readonly model: string;
  readonly format: string;
  readonly oracle: string;
  /** Why the model was not measured; undefined where it was. */
  readonly skipped?: string | undefined;
}

/** Measures one model; one that lacks packages or a peer is skipped, with the reason. */
export async function measureModel(
  { model, format, oracle, packages, missing, measure }: ModelRow,
  progress: (text: string) => void = () => {},
): Promise<ModelReport> {
  const row = { model, format, oracle };
  const folders: Record<string, string> = {};
  for (const name of packages) {
    const found = realModel(name);
    if ('missing' in found) return { ...row, skipped: found.missing };
    folders[name] = found.folder;
  }
  const skipped = missing?.();
  if (skipped !== undefined) return { ...row, skipped };
  const figures = await measure({ folders, progress });
  progress(`${model}: measured`);
  return { ...row, ...figures };
}

/** Models by third parties against their own implementations, one row each. */
export async function modelsBench(
  progress: (text: string) => void,
  names: readonly string[] = MODEL_ROWS.map(({ model }) => model),
): Promise<{ readonly bench: 'models'; readonly machine: object; readonly rows: readonly ModelReport[] }> {
  const rows: ModelReport[] = [];
  for (const row of MODEL_ROWS.filter(({ model }) => names.includes(model)))
    rows.push(await measureModel(row, progress));
  return { bench: 'models', machine: machineReport(), rows };
}
