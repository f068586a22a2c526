import type { Drafter, DraftRequest, DraftSession, TokenSource } from '@foretoken/core';
import { chainWithin } from '@foretoken/core/kit';
import { collectOutcomes, drafterConformance, type Outcome, type Runner } from '@foretoken/testkit';

/** What a test says of a drafter; whatever is not of its type is the fault under test. */
type Parts = { readonly [Part in keyof Drafter<TokenSource>]?: unknown };

/** The suite on a drafter of these parts. */
export function suiteOf(runner: Runner, parts: Parts): void {
  const drafter = { name: 'faulty', ...parts } as Drafter<TokenSource>;
  const sources = [Int32Array.of(1), Int32Array.of(2)];
  const vocabulary = { size: 6, endTokenId: 0 };
  drafterConformance({ runner, name: 'faulty', createDrafter: () => drafter, vocabulary, sources });
}

async function broken(parts: Parts): Promise<readonly Outcome[]> {
  const outcomes = await collectOutcomes((runner) => suiteOf(runner, parts));
  return outcomes.filter(({ error }) => error !== undefined);
}

/** Laws that a drafter of these parts breaks, in the suite's order. */
export async function brokenLaws(parts: Parts): Promise<readonly string[]> {
  return (await broken(parts)).map(({ name }) => name);
}

/** What the suite says first of a drafter of these parts. */
export async function firstMessage(parts: Parts): Promise<string> {
  const [first] = await broken(parts);
  return first?.error instanceof Error ? first.error.message : 'nothing';
}

/** A session that proposes so. */
export function sessionOf(propose: unknown, finish: unknown = () => undefined): DraftSession {
  const session = { forwards: 0, propose, finish, async [Symbol.asyncDispose]() {} };
  return session as DraftSession;
}

/** A session that drafts so for each row. */
export function drafting(draft: (request: DraftRequest) => unknown): DraftSession {
  return sessionOf((requests: readonly DraftRequest[]) => requests.map(draft));
}

/** A session that drafts one token a row, as far as there is room. */
export function sayingOne(tokenOf: (request: DraftRequest) => number, finish?: () => void): DraftSession {
  const propose = (requests: readonly DraftRequest[]) =>
    requests.map((request) => chainWithin(Int32Array.of(tokenOf(request)), request.limit, undefined));
  return sessionOf(propose, finish);
}
