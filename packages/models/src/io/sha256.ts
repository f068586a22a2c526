import { ForetokenError } from '@foretoken/core';

/** SHA-256 of `content` in hexadecimal, by WebCrypto. Throws `UNSUPPORTED_CAPABILITY` where a page has none. */
export async function sha256(content: Uint8Array): Promise<string> {
  const { subtle } = globalThis.crypto ?? {};
  if (subtle === undefined) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      'The files of a model cannot be checked here: browsers have WebCrypto in secure contexts only. Serve the page over https, or from localhost.',
      { capability: 'crypto.subtle', required: 'a secure context' },
    );
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', content as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
