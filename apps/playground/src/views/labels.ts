import { labelOf } from '../run/strategies.js';
import type { Trace } from '../trace/trace.js';

/** What people read the strategy of a trace as. */
export function strategyLabel({ header }: Trace): string {
  return labelOf(header.strategy);
}
