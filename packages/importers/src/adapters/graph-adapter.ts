import type { FileLocation, ModelManifest } from '@foretoken/models/internal';
import type { TargetOptions } from '../target-options.js';

/** What makes a model folder of the graphs that a program has exported. */
export interface GraphAdapter {
  /** What it adapts, in words, such as `a CTC graph`. */
  readonly holds: string;
  /** Whether a folder holds such a model, and no weights. Throws `INVALID_MODEL_FOLDER`. */
  claims(folder: string, signal?: AbortSignal): Promise<boolean>;
  /** Imports such a folder. Throws as its own function does. */
  adapt(folder: string, target: FileLocation, options: TargetOptions): Promise<ModelManifest>;
}
