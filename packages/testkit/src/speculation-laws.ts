import type { DecodeEvent } from '@foretoken/core';
import assert from './assert.js';

/** A decoder of which no draft was seen counts none: its statistics have no speculation. */
export function assertSpeculation(decodes: readonly (readonly DecodeEvent[])[]): void {
  if (decodes.flat().some(({ type }) => type === 'draft-end')) return;
  for (const event of decodes.flat()) {
    const counted = event.type === 'decode-end' && event.statistics.speculation !== undefined;
    assert.ok(!counted, 'statistics.speculation is absent where nothing is drafted');
  }
}
