/**
 * Lets timers, requests and aborts be heard between two pieces of work. Rejects with the signal's reason once it is
 * aborted.
 */
export async function pause(signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  signal?.throwIfAborted();
}
