import {
  type DraftContext,
  type Drafter,
  type DraftingCosts,
  type DraftRequest,
  type DraftSession,
  type DraftTree,
  ForetokenError,
  type Vocabulary,
} from '@foretoken/core';
import { assertNumber, hasMethods, type OptionReader, show, thrownWords, wrongValue } from '@foretoken/core/kit';
import { ownDraft } from './draft-tree.js';
import { orAbort } from './or-abort.js';

/** Reads a drafter: its name, vocabulary and encoder once, so that they stay what they were; its costs, which change, guarded. */
export const drafter: OptionReader<Drafter<never>> = (name, value) => {
  const read = readDrafter(value);
  if (read !== undefined) return read;
  const required = 'an object with a name, open(sources, context) and, unless any will do, a vocabulary';
  throw wrongValue(name, value, required);
};

function readDrafter(value: unknown): Drafter<never> | undefined {
  if (!hasMethods(value, 'open')) return undefined;
  const given = value as Drafter<never>;
  try {
    const { name, vocabulary, encoder } = given;
    if (typeof name !== 'string') return undefined;
    return {
      name,
      vocabulary: vocabulary === undefined ? undefined : sizesOf(vocabulary),
      encoder,
      get costs() {
        return costsOf(given, name);
      },
      open: (sources, context) => given.open(sources, context),
    };
  } catch {
    return undefined;
  }
}

/** A copy of a vocabulary. Throws where it is none. */
function sizesOf({ size, endTokenId }: Vocabulary): Vocabulary {
  return { size, endTokenId };
}

/** A copy of what a drafter says that drafting costs. Throws `INVALID_DRAFT`, `INVALID_ARGUMENT`. */
function costsOf(drafter: Drafter<never>, name: string): DraftingCosts | undefined {
  try {
    const { costs } = drafter;
    if (costs === undefined) return undefined;
    if (typeof costs !== 'object' || costs === null) {
      throw wrongValue('drafter.costs', costs, 'an object with open and propose, in milliseconds');
    }
    const { open, propose } = costs;
    assertNumber('drafter.costs.open', open, 0, Number.MAX_VALUE);
    assertNumber('drafter.costs.propose', propose, 0, Number.MAX_VALUE);
    return { open, propose };
  } catch (error) {
    throw drafterFailure(name, 'tell its costs', error, undefined);
  }
}

/**
 * A draft session as the decoder meets it: what the drafter throws becomes a typed error that names it, what it proposes is
 * taken over as our own, and an abort ends the waiting for its answers.
 */
export class GuardedDrafts implements AsyncDisposable {
  readonly #name: string;
  readonly #session: DraftSession;
  readonly #signal: AbortSignal | undefined;

  private constructor(name: string, session: DraftSession, signal: AbortSignal | undefined) {
    this.#name = name;
    this.#session = session;
    this.#signal = signal;
  }

  /**
   * Opens a drafter. Throws `INVALID_DRAFT`, what the drafter throws on purpose, or the reason
   * of the context's signal; a session that comes after an abort is released.
   */
  static async open<Source>(
    drafter: Drafter<Source>,
    sources: readonly Source[],
    context: DraftContext,
  ): Promise<GuardedDrafts> {
    const { name } = drafter;
    const { signal } = context;
    let opening: Promise<DraftSession> | undefined;
    try {
      // A list of its own, so that the decode's stays as it is.
      opening = drafter.open([...sources], context);
      const session = await orAbort(opening, signal);
      const methods = [session?.propose, session?.finish, session?.[Symbol.asyncDispose]];
      if (methods.some((method) => typeof method !== 'function')) {
        throw new ForetokenError(
          'INVALID_DRAFT',
          `The drafter ${name} opened ${show(session)}; required: a session with propose(requests), finish(row) and [Symbol.asyncDispose]().`,
          { drafter: name, received: session },
        );
      }
      return new GuardedDrafts(name, session, signal);
    } catch (error) {
      void releaseLate(opening);
      throw drafterFailure(name, 'open', error, signal);
    }
  }

  /** Draft-model forwards so far. Throws `INVALID_DRAFT` where the drafter does not say so. */
  get forwards(): number {
    let forwards: unknown;
    try {
      forwards = this.#session.forwards;
    } catch (error) {
      throw drafterFailure(this.#name, 'count its forwards', error, this.#signal);
    }
    if (typeof forwards === 'number' && Number.isInteger(forwards) && forwards >= 0) return forwards;
    throw new ForetokenError(
      'INVALID_DRAFT',
      `The drafter ${this.#name} counts ${String(forwards)} forwards; required: an integer of at least 0.`,
      { drafter: this.#name, received: forwards },
    );
  }

  /** Drafts of our own, to be checked. Throws `INVALID_DRAFT`, what the drafter throws on purpose, or the abort reason. */
  async propose(requests: readonly DraftRequest[]): Promise<readonly DraftTree[]> {
    try {
      // Copies of the limits, since the drafts are checked against them.
      const proposal = this.#session.propose(requests.map(copyOf));
      const drafts: unknown = isThenable(proposal) ? await orAbort(proposal, this.#signal) : proposal;
      if (!Array.isArray(drafts) || drafts.length !== requests.length) {
        const received = Array.isArray(drafts) ? `${drafts.length} drafts` : show(drafts);
        throw new ForetokenError(
          'INVALID_DRAFT',
          `The drafter ${this.#name} offered ${received}; required: an array of ${requests.length}, one draft for each row asked about.`,
          { drafter: this.#name, received: drafts },
        );
      }
      const own: DraftTree[] = [];
      for (let index = 0; index < requests.length; index++) own.push(ownDraft(drafts[index], this.#name));
      return own;
    } catch (error) {
      const rows = requests.map(({ row }) => row).join(', ');
      throw drafterFailure(this.#name, `propose for row ${rows}`, error, this.#signal);
    }
  }

  /** Says that a row is over. Throws `INVALID_DRAFT`, what the drafter throws on purpose, or the abort reason. */
  async finish(row: number): Promise<void> {
    try {
      // Nothing is promised, but what fails in an async function would end the process.
      const finishing: unknown = this.#session.finish(row);
      if (isThenable(finishing)) await orAbort(finishing, this.#signal);
    } catch (error) {
      throw drafterFailure(this.#name, `finish row ${row}`, error, this.#signal);
    }
  }

  /** Releases the session; after an abort nobody waits for that. Throws `INVALID_DRAFT`. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await orAbort(this.#session[Symbol.asyncDispose](), this.#signal);
    } catch (error) {
      if (this.#signal?.aborted !== true) throw drafterFailure(this.#name, 'be disposed of', error, undefined);
    }
  }
}

function copyOf({ row, prefix, limit: { nodes, depth, minProbability } }: DraftRequest): DraftRequest {
  return { row, prefix, limit: { nodes, depth, minProbability } };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === 'function';
}

/** The error to throw where a drafter threw `error`: the abort reason, its own typed error, or one that names it. */
function drafterFailure(name: string, doing: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (isOurs(error)) return error;
  return new ForetokenError(
    'INVALID_DRAFT',
    `The drafter ${name} failed to ${doing}: ${thrownWords(error)}.`,
    { drafter: name },
    { cause: error },
  );
}

function isOurs(error: unknown): boolean {
  try {
    return ForetokenError.isInstance(error);
  } catch {
    return false;
  }
}

/** Releases a session that nobody waits for any more; there is nobody left to tell of a failure either. */
async function releaseLate(opening: Promise<DraftSession> | undefined): Promise<void> {
  try {
    await (await opening)?.[Symbol.asyncDispose]();
  } catch {}
}
