/** Positions `[start, end)` that are decided before any later ones, in `iterations` forwards. */
export interface Block {
  readonly start: number;
  readonly end: number;
  readonly iterations: number;
}

/**
 * Cuts positions `[start, end)` into blocks, the last possibly shorter, and shares `iterations` forwards out among them by
 * length; each gets one at least, and none more than it has positions (semi-autoregressive decoding; Nie et al., 2025).
 */
export function blocksOf(start: number, end: number, blockLength: number, iterations: number): Block[] {
  const total = end - start;
  const blocks: Block[] = [];
  for (let from = 0; from < total; from += blockLength) {
    const to = Math.min(from + blockLength, total);
    const share = Math.floor((iterations * to) / total) - Math.floor((iterations * from) / total);
    blocks.push({ start: start + from, end: start + to, iterations: Math.min(Math.max(share, 1), to - from) });
  }
  return blocks;
}

/** Positions decided after `iteration` of `iterations` forwards: as evenly as possible, the larger numbers first (LLaDA's rule). */
export function decidedAfter(positions: number, iteration: number, iterations: number): number {
  return Math.floor(positions / iterations) * iteration + Math.min(iteration, positions % iterations);
}
