import type { Trace } from '@foretoken/streams';
import { labelOf } from '../run/strategies.js';

/** What people read the strategy of a trace as. */
export function strategyLabel({ header }: Trace): string {
  return labelOf(header.strategy);
}
