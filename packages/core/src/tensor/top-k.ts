/** Index of the highest score, the lowest index among equals; -1 where every score is `-Infinity`, or none a number. */
export function argmax(scores: ArrayLike<number>): number {
  let best = -1;
  let max = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < scores.length; index++) {
    if (scores[index] > max) {
      max = scores[index];
      best = index;
    }
  }
  return best;
}

/**
 * Indices of the `k` highest scores, best first, the lower index first among equals; fewer where fewer are above
 * `-Infinity`. One pass with a heap of `k`.
 */
export function topK(scores: ArrayLike<number>, k: number): Int32Array {
  const heap = new Int32Array(Math.min(k, scores.length));
  let size = 0;
  /** Whether `a` ranks below `b`. */
  const below = (a: number, b: number): boolean => {
    const difference = scores[a] - scores[b];
    return difference < 0 || (difference === 0 && a > b);
  };
  const sink = (from: number): void => {
    let at = from;
    const item = heap[at];
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && below(heap[child + 1], heap[child])) child++;
      if (!below(heap[child], item)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = item;
  };
  for (let index = 0; index < scores.length; index++) {
    if (!(scores[index] > Number.NEGATIVE_INFINITY)) continue;
    if (size < heap.length) {
      heap[size++] = index;
      if (size === heap.length) for (let at = (size >> 1) - 1; at >= 0; at--) sink(at);
    } else if (size > 0 && below(heap[0], index)) {
      heap[0] = index;
      sink(0);
    }
  }
  return heap.subarray(0, size).sort((a, b) => (below(a, b) ? 1 : -1));
}
