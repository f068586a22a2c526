/**
 * What `work` comes to, or the signal's reason as soon as it aborts; then nobody waits for `work` any more, and what becomes of
 * it is ignored.
 */
export function orAbort<Result>(work: PromiseLike<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return Promise.resolve(work);
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    const done = (): void => signal.removeEventListener('abort', abort);
    Promise.resolve(work).then(
      (result) => {
        done();
        resolve(result);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
  });
}
