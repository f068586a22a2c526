/** Calls back in another turn of the event loop. */
export function nextTurn(callback: () => void): void {
  // Browsers have no setImmediate.
  if (typeof setImmediate === 'function') setImmediate(callback);
  else setTimeout(callback, 0);
}
