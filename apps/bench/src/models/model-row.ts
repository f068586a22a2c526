/** What is measured of a model by a third party. */
export interface ModelFigures {
  /** Of models, as the loaded folder's manifest says. */
  readonly family: string;
  /** Share of the cases whose output equals the oracle's. */
  readonly equal: number;
  /** Largest difference of a score from the oracle's, where it tells scores. */
  readonly worstLogitDifference?: number | undefined;
  /** The oracle's time over ours, above 1 is faster; where both ran side by side. */
  readonly speedOverOracle?: number | undefined;
  /** Further facts, such as how many cases there were. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export interface ModelRowContext {
  /** Folder of the files of each package that the row names. */
  readonly folders: Readonly<Record<string, string>>;
  readonly progress: (text: string) => void;
}

/** A model by a third party and what it is compared with: one file here for each, and its place in `model-rows.ts`. */
export interface ModelRow {
  readonly model: string;
  /** What its weights come as. */
  readonly format: string;
  /** What computed the outputs that ours are compared with. */
  readonly oracle: string;
  /** Names in `real-models.json`; the row is skipped where one is not there. None for what is in the repository. */
  readonly packages: readonly string[];
  /** What the tests hold the row to: the least share of equal outputs, and the largest difference of a score. */
  readonly required: { readonly equal: number; readonly worstLogitDifference?: number | undefined };
  /** Why it cannot be measured here, beyond packages that are not there; `undefined` where it can. */
  readonly missing?: (() => string | undefined) | undefined;
  measure(context: ModelRowContext): Promise<ModelFigures>;
}
