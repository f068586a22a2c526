import { MeasuredCosts } from '../../drivers/measured-costs.js';
import { ProbeBudget, WidthCosts } from '../../drivers/probe.js';
import { CausalStepDriver, type CausalStepOptions } from './causal-step-driver.js';

// A typical state in the middle of a text.
const PAST_LENGTH = 32;
const MAX_NODES = 16;
/** Milliseconds that measuring may take. */
const PROBE_MILLISECONDS = 200;

/** What was measured of a step. */
export interface CausalCosts {
  readonly widths: WidthCosts;
  readonly costs: MeasuredCosts | undefined;
}

/** Measures a step of one row by its new nodes. Throws `RUNTIME_FAILURE`, `DISPOSED`, the signal's reason. */
export async function probeCausalStep(step: CausalStepOptions, signal: AbortSignal | undefined): Promise<CausalCosts> {
  const driver = new CausalStepDriver(step);
  const zeros = new Float32Array(PAST_LENGTH * step.keyValueWidth);
  const past = Array.from({ length: 2 * step.layers }, () => zeros);
  const widths = await WidthCosts.measure(MAX_NODES, new ProbeBudget(PROBE_MILLISECONDS), (nodes) => {
    signal?.throwIfAborted();
    const width = driver.paddedWidth(nodes, 1);
    const scored = Int32Array.from({ length: nodes }, (_, cell) => cell);
    const inputs = {
      firstRow: 0,
      rows: 1,
      width,
      pastLength: PAST_LENGTH,
      tokenIds: new Int32Array(width),
      positions: new Int32Array(width),
      attentionBias: new Float32Array(width * (PAST_LENGTH + width)),
      keyPositions: () => new Int32Array(PAST_LENGTH + width),
      past,
      scored,
    };
    return driver.run(inputs, { kind: 'argmax' });
  });
  const { curve } = widths;
  return { widths, costs: curve.length === 0 ? undefined : new MeasuredCosts(curve) };
}
