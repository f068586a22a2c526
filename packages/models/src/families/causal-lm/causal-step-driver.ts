import type { OutputRequest } from '@foretoken/core';
import type { StepDriver, StepInputs, StepOutputs } from '@foretoken/core/runtime';
import { StepRun, type StepRunOptions } from '../../drivers/step-run.js';

/**
 * Least grid width of a row that is alone, and of all rows where others may join: with one query the runtime attends with other
 * kernels, whose sums differ in the last bits, so plain decoding and verification would differ.
 */
export const LONE_ROW_WIDTH = 2;

export interface CausalStepOptions extends StepRunOptions {
  readonly paddedWidth: (width: number) => number;
  /** Rows may join. */
  readonly joining?: boolean | undefined;
}

/** Runs the step graph of a decoder-only model. It reads no source but what its forest feeds, so it has no state. */
export class CausalStepDriver implements StepDriver {
  readonly #options: CausalStepOptions;
  readonly #step: StepRun;

  constructor(options: CausalStepOptions) {
    this.#options = options;
    this.#step = new StepRun(options);
  }

  paddedWidth(width: number, rows: number): number {
    const { paddedWidth, joining } = this.#options;
    return Math.max(paddedWidth(width), rows === 1 || joining === true ? LONE_ROW_WIDTH : 1);
  }

  run(inputs: StepInputs, output: OutputRequest): Promise<StepOutputs> {
    return this.#step.run(inputs, output);
  }

  releaseRow(): void {}

  dispose(): void {}
}
