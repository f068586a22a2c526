/** So many downloads at a time as browsers make of one server. */
const MAX_TOGETHER = 6;

/**
 * Does `work` for all items, several at a time in their order. The first failure stops the others, by the signal they are given, and
 * is thrown once they have ended.
 */
export async function together<Item>(
  items: readonly Item[],
  signal: AbortSignal | undefined,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', stop);
  const waiting = items.values();
  const failures: unknown[] = [];
  const workOn = async (): Promise<void> => {
    for (const item of waiting) {
      try {
        signal?.throwIfAborted();
        if (failures.length > 0) return;
        await work(item, controller.signal);
      } catch (error) {
        failures.push(error);
        controller.abort(error);
        return;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(MAX_TOGETHER, items.length) }, workOn));
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  if (failures.length > 0) throw failures[0];
}
