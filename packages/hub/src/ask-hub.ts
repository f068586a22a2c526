import { setTimeout } from 'node:timers/promises';

/** Time as a download knows it; tests give their own. */
export interface Pace {
  /** Milliseconds since 1970. */
  now(): number;
  /** Waits; rejects at once when the signal is aborted. */
  wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
}

/** How the hub is reached. */
export interface HubAccess {
  readonly endpoint: string;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly pace: Pace;
}

export const REAL_TIME: Pace = {
  now: Date.now,
  wait: async (milliseconds, signal) => void (await setTimeout(milliseconds, undefined, { signal })),
};

const MAX_TRIES = 5;
/** Before the second try; twice as long before each further one. */
const FIRST_WAIT_MS = 1000;
/** A server that asks for more is not waited for: its user may rather do something else meanwhile. */
const MAX_WAIT_MS = 60_000;
/** Dates as headers of HTTP have them. */
const DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** What a server answered in place of what it was asked for. */
export class HubStatus extends Error {
  readonly statusCode: number;
  /** What was asked for, without what stands behind `?`. */
  readonly address: string;
  /** How often it was asked for. */
  readonly tries: number;
  /** How long the server asks to wait, where that is longer than it was waited for. */
  readonly waitMs: number | undefined;
  /** Whether the repository has terms that its readers must have accepted. */
  readonly isGated: boolean;

  constructor(
    statusCode: number,
    address: string,
    { tries, waitMs, isGated }: Readonly<Pick<HubStatus, 'tries' | 'waitMs' | 'isGated'>>,
  ) {
    super(`status ${statusCode} for ${address}${tries > 1 ? `, ${tries} times` : ''}`);
    this.name = 'HubStatus';
    this.statusCode = statusCode;
    this.address = address;
    this.tries = tries;
    this.waitMs = waitMs;
    this.isGated = isGated;
  }
}

/**
 * Asks for an address, again after a while where the server is busy or in trouble (429 and 500 to 599): after one second, then twice
 * as long each time, or after as long as `Retry-After` says where that is longer. The token goes to the endpoint's host only.
 *
 * Throws `HubStatus` for an answer that is no success, what `fetch` throws, and something once the signal is aborted.
 */
export async function askHub(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  { endpoint, token, signal, pace }: HubAccess,
): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input);
  const headers = new Headers(init?.headers);
  // The next page of a list lies where the server says: not all that it names may hear the token.
  const isOwn = url.origin === new URL(endpoint).origin;
  if (token !== undefined && isOwn) headers.set('authorization', `Bearer ${token}`);
  for (let tries = 1; ; tries++) {
    const response = await fetch(input, { ...init, headers, signal: signal ?? null });
    if (response.ok) return response;
    await response.body?.cancel();
    const { status } = response;
    const asked = askedWait(response.headers.get('retry-after'), pace.now());
    const wait = Math.max(FIRST_WAIT_MS * 2 ** (tries - 1), asked ?? 0);
    const isBusy = status === 429 || status >= 500;
    if (!isBusy || tries === MAX_TRIES || wait > MAX_WAIT_MS) {
      const isGated = response.headers.get('x-error-code') === 'GatedRepo';
      const waitMs = isBusy ? asked : undefined;
      throw new HubStatus(status, `${url.origin}${url.pathname}`, { tries, waitMs, isGated });
    }
    await pace.wait(wait, signal);
  }
}

/** Milliseconds that a server asks to wait, as a number of seconds or until a date; undefined where it asks for none. */
function askedWait(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // What looks like a date may be none, such as one of a month that is not there.
  const until = DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, until - now);
}
