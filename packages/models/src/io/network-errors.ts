import { ForetokenError } from '@foretoken/core';
import { reason } from '../folder/refusal.js';

/** What a page knows of where it runs; none of it is there outside browsers. */
interface Page {
  readonly navigator?: { readonly onLine?: boolean | undefined } | undefined;
  readonly location?: { readonly origin?: string | undefined } | undefined;
}

/**
 * A request that got no answer. Browsers do not tell a page why, so what is known decides what is said: no network at all, or for
 * another origin that its server may not allow this one to read it.
 */
export function unreachable(folder: string, file: string, url: string, cause: unknown): ForetokenError {
  const { navigator, location } = globalThis as Page;
  const details = { folder, file, url };
  const what = `${file} in ${folder} could not be fetched`;
  if (navigator?.onLine === false) {
    return failure(`${what}: there is no network connection. Connect, and try again.`, 'offline', details, cause);
  }
  const origin = location?.origin;
  if (origin !== undefined && origin !== new URL(url).origin) {
    return failure(
      `${what}: the server cannot be reached, or it does not allow pages of ${origin} to read the file (CORS). Check the address, and let it send "Access-Control-Allow-Origin: ${origin}".`,
      'unreachable-or-cors',
      { ...details, origin },
      cause,
    );
  }
  return failure(
    `${what}: the server cannot be reached (${reason(cause)}). Check the address and the connection, and try again.`,
    'unreachable',
    details,
    cause,
  );
}

/** A transfer that broke off. */
export function interrupted(folder: string, file: string, url: string, cause: unknown): ForetokenError {
  const message = `${file} in ${folder} could not be read to its end: the transfer broke off (${reason(cause)}). Try again.`;
  return failure(message, 'interrupted', { folder, file, url }, cause);
}

function failure(message: string, why: string, details: Record<string, unknown>, cause: unknown): ForetokenError {
  return new ForetokenError('NETWORK_FAILURE', message, { ...details, reason: why }, { cause });
}
