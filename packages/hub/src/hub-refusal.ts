import { ForetokenError } from '@foretoken/core';
import { thrownWords } from '@foretoken/core/kit';
import { type HubAccess, HubStatus } from './ask-hub.js';
import type { HubLocation } from './hub-location.js';

/** What an answer that is none means, and what helps; the token stands nowhere in it. */
export function refused(
  { repository, revision }: HubLocation,
  { endpoint, token }: HubAccess,
  cause: unknown,
): ForetokenError {
  const details = { repository, revision, endpoint };
  if (!(cause instanceof HubStatus)) {
    return new ForetokenError(
      'NETWORK_FAILURE',
      `${endpoint} could not be asked for ${repository}: ${wordsOf(cause)}. Check the connection and try again, ${OR_OFFLINE}.`,
      { ...details, status: null, reason: 'unreachable' },
      { cause },
    );
  }
  const { statusCode: status, address, tries } = cause;
  if (status === 401 || status === 403 || status === 404) {
    const remedy = cause.isGated
      ? `It is gated: accept its terms at ${endpoint}/${repository}, and give a token of the same account (environment variable HF_TOKEN).`
      : token === undefined
        ? 'Check the name and the revision; a private or gated repository needs a token (environment variable HF_TOKEN).'
        : 'Check the name, the revision, and that the token may read it.';
    return new ForetokenError(
      'INVALID_ARGUMENT',
      `${repository} at ${revision} is not to be had from ${endpoint} (status ${status}). ${remedy}`,
      {
        ...details,
        status,
        address,
        tries,
        option: 'location',
        received: `hub:${repository}@${revision}`,
        required: 'a model repository that can be read',
      },
      { cause },
    );
  }
  return new ForetokenError(
    'NETWORK_FAILURE',
    `${endpoint} could not be asked for ${repository}: ${cause.message}. ${remedyFor(cause, token)}, ${OR_OFFLINE}.`,
    { ...details, status, address, tries, reason: 'status' },
    { cause },
  );
}

/** The words of an error; `fetch` says of all failures that it failed, and what failed stands behind it. */
function wordsOf(error: unknown): string {
  const { cause } = Object(error) as { readonly cause?: unknown };
  if (cause === undefined) return thrownWords(error);
  const { code } = Object(cause) as { readonly code?: unknown };
  // Of a host with several addresses the code alone says it.
  return `${thrownWords(error)} (${thrownWords(cause) || String(code)})`;
}

const OR_OFFLINE = 'or load what was kept with HF_HUB_OFFLINE=1';

/** What helps where a server answers, but not now. */
function remedyFor({ statusCode: status, waitMs = 0 }: HubStatus, token: string | undefined): string {
  const seconds = Math.ceil(waitMs / 1000);
  const when = seconds > 0 && seconds < 1e10 ? `in ${seconds} s, as it asks` : undefined;
  if (status === 429) {
    const more = token === undefined ? '; with a token (environment variable HF_TOKEN) it may be asked more often' : '';
    return `It was asked too often: ${when === undefined ? 'wait some minutes and try again' : `try again ${when}`}${more}`;
  }
  if (status >= 500) return `The server is in trouble: try again ${when ?? 'later'}`;
  return 'Check the connection and try again';
}
