/** Whether two outputs are equal, token by token. */
export function sameTokens(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((tokenId, index) => tokenId === b[index]);
}
