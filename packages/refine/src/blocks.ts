/** Positions `[start, end)` that are decided before any later ones, in `steps` forwards. */
export interface Block {
  readonly start: number;
  readonly end: number;
  readonly steps: number;
}

/**
 * Cuts positions `[start, end)` into blocks, the last possibly shorter, and shares `steps` forwards out among them by
 * length; each gets one at least, and none more than it has positions (semi-autoregressive decoding; Nie et al., 2025).
 */
export function blocksOf(start: number, end: number, blockLength: number, steps: number): Block[] {
  const total = end - start;
  const blocks: Block[] = [];
  for (let from = 0; from < total; from += blockLength) {
    const to = Math.min(from + blockLength, total);
    const share = Math.floor((steps * to) / total) - Math.floor((steps * from) / total);
    blocks.push({ start: start + from, end: start + to, steps: Math.min(Math.max(share, 1), to - from) });
  }
  return blocks;
}

/** Positions decided after `step` of `steps` forwards: as evenly as possible, the larger numbers first (LLaDA's rule). */
export function decidedAfter(positions: number, step: number, steps: number): number {
  return Math.floor(positions / steps) * step + Math.min(step, positions % steps);
}
