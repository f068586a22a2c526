import {
  type Drafter,
  type DraftLimit,
  type DraftRequest,
  type DraftSession,
  type DraftTree,
  ForetokenError,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import { hasMethods, show, thrownWords } from '@foretoken/core/kit';
import assert, { AssertionError } from './assert.js';
import { lawOver } from './readable.js';

/** What a drafter says of itself: a name, the vocabulary of its target or none, what drafting costs or nothing. */
export function assertDrafter(drafter: Drafter<TokenSource>, { size, endTokenId }: Vocabulary): void {
  assert.ok(hasMethods(drafter, 'open'), `a drafter has a method open(sources, context), but it is ${show(drafter)}`);
  const { name, vocabulary, costs } = drafter;
  assert.ok(typeof name === 'string', `a drafter has a name, a string, but it is ${show(name)}`);
  if (vocabulary !== undefined) {
    const said = vocabulary as Partial<Vocabulary> | null;
    const words = `it says size ${show(said?.size)} and endTokenId ${show(said?.endTokenId)}`;
    assert.ok(
      said?.size === size && said.endTokenId === endTokenId,
      `the vocabulary of a drafter is its target's, size ${size} and endTokenId ${endTokenId}, or left out where any will do, but ${words}`,
    );
  }
  if (costs === undefined) return;
  for (const part of ['open', 'propose'] as const) {
    const milliseconds: unknown = (costs as Partial<typeof costs> | null)?.[part];
    const known = typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds < Number.POSITIVE_INFINITY;
    assert.ok(known, `costs.${part} of a drafter is a number of milliseconds, from 0, but it is ${show(milliseconds)}`);
  }
}

/** What a call of a drafter gives; what it throws is told together with the call, and is the cause. */
async function calling<Result>(call: string, run: () => Result | PromiseLike<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (ForetokenError.isInstance(error) || error instanceof AssertionError) throw error;
    throw new AssertionError(`${call} of a drafter threw: ${thrownWords(error)}`, error, undefined, { cause: error });
  }
}

/** Opens a drafter; a session that is none is named as the fault that it is. */
export async function openDrafter(
  drafter: Drafter<TokenSource>,
  sources: readonly TokenSource[],
): Promise<DraftSession> {
  assert.ok(hasMethods(drafter, 'open'), `a drafter has a method open(sources, context), but it is ${show(drafter)}`);
  const session: unknown = await calling('open', () => drafter.open(sources, {}));
  for (const method of ['propose', 'finish', Symbol.asyncDispose] as const) {
    const has = typeof (session as Partial<Record<typeof method, unknown>> | undefined)?.[method] === 'function';
    assert.ok(
      has,
      `a session has a method ${typeof method === 'symbol' ? '[Symbol.asyncDispose]' : method}, but open gave ${show(session)}`,
    );
  }
  forwardsOf(session as DraftSession);
  return session as DraftSession;
}

/** Draft-model forwards so far. */
function forwardsOf({ forwards }: DraftSession): number {
  const counts = Number.isInteger(forwards) && forwards >= 0;
  assert.ok(counts, `a session counts its forwards in the field forwards, from 0, but it is ${show(forwards)}`);
  return forwards;
}

/** The drafts of several rows, one for each. */
export async function proposeAll(
  session: DraftSession,
  requests: readonly DraftRequest[],
): Promise<readonly DraftTree[]> {
  assert.ok(hasMethods(session, 'propose'), `a session has a method propose, but it is ${show(session)}`);
  const before = forwardsOf(session);
  const drafts: unknown = await calling('propose', () => session.propose(requests));
  assert.ok(Array.isArray(drafts), `propose gives an array of drafts, but it gave ${show(drafts)}`);
  const count = `there is one draft for each row that was asked about, but ${drafts.length} for ${requests.length}`;
  assert.equal(drafts.length, requests.length, count);
  for (const draft of drafts) assertShape(draft);
  const after = forwardsOf(session);
  assert.ok(after >= before, `forwards are counted on, but there were ${before} before propose and ${after} after it`);
  return drafts as readonly DraftTree[];
}

/** Says that a row is over. */
export async function finishRow(session: DraftSession, row: number): Promise<void> {
  await calling('finish', () => session.finish(row));
}

/** Releases a session. */
export async function closeDrafts(session: DraftSession): Promise<void> {
  await calling('[Symbol.asyncDispose]', () => session[Symbol.asyncDispose]());
}

/** Asserts that a drafter said the same again; `when` says what both were asked. */
export function assertSameDraft(draft: DraftTree, expected: DraftTree, when: string): void {
  const words = ({ tokenIds, parents, probabilities }: DraftTree): string =>
    `tokens [${tokenIds}] with parents [${parents}]${probabilities === undefined ? '' : ` and probabilities [${probabilities}]`}`;
  const [said, before] = [words(draft), words(expected)];
  assert.ok(said === before, `${when} a drafter says the same again, but it said ${before}, and then ${said}`);
}

/** The draft of one row alone. */
export async function proposeOne(session: DraftSession, request: DraftRequest): Promise<DraftTree> {
  const [draft] = await proposeAll(session, [request]);
  return draft;
}

function assertShape(draft: unknown): void {
  assert.ok(
    typeof draft === 'object' && draft !== null,
    `a draft is an object with tokenIds and parents, but it is ${show(draft)}`,
  );
  const { tokenIds, parents, probabilities } = draft as Partial<Record<keyof DraftTree, unknown>>;
  for (const [name, values] of Object.entries({ tokenIds, parents })) {
    assert.ok(values instanceof Int32Array, `${name} of a draft is an Int32Array, but it is ${show(values)}`);
  }
  const known = probabilities === undefined || probabilities instanceof Float32Array;
  assert.ok(
    known,
    `probabilities of a draft, where there are any, are a Float32Array, but they are ${show(probabilities)}`,
  );
}

/** Asserts that a draft keeps the drafter's contract; what it throws names the node and the fault. */
export function assertWellFormed(draft: DraftTree, limit: DraftLimit, vocabulary: Vocabulary): void {
  lawOver('draft', draft, () => assertTree(draft, limit, vocabulary));
}

function assertTree(draft: DraftTree, limit: DraftLimit, vocabulary: Vocabulary): void {
  assertShape(draft);
  const { tokenIds, parents, probabilities } = draft;
  const nodes = tokenIds.length;
  assert.equal(
    parents.length,
    nodes,
    `every node has a parent, but there are ${nodes} tokens and ${parents.length} parents`,
  );
  assert.ok(
    nodes <= limit.nodes,
    `a draft has ${limit.nodes} nodes at most where the limit says so, but it has ${nodes}`,
  );
  const depths: number[] = [];
  const siblings = new Set<string>();
  for (const [node, tokenId] of tokenIds.entries()) {
    const parent = parents[node];
    const said = `node ${node} (token ${tokenId}, parent ${parent})`;
    assert.ok(
      parent >= -1 && parent < node,
      `a parent is an earlier node, or -1 for the prefix, unlike that of ${said}`,
    );
    assert.ok(
      tokenId >= 0 && tokenId < vocabulary.size,
      `a token is below ${vocabulary.size}, the size of the vocabulary, unlike ${said}`,
    );
    assert.ok(
      parent < 0 || tokenIds[parent] !== vocabulary.endTokenId,
      `nothing follows an end token, but ${said} does`,
    );
    assert.ok(
      !siblings.has(`${parent} ${tokenId}`),
      `siblings hold different tokens, but ${said} says what a sibling says`,
    );
    siblings.add(`${parent} ${tokenId}`);
    depths.push(parent < 0 ? 1 : depths[parent] + 1);
    assert.ok(
      depths[node] <= limit.depth,
      `a path has ${limit.depth} nodes at most, but ${said} is number ${depths[node]} of its path`,
    );
  }
  if (probabilities === undefined) return;
  assert.equal(
    probabilities.length,
    nodes,
    `every node has a probability, but there are ${probabilities.length} for ${nodes}`,
  );
  for (const [node, probability] of probabilities.entries()) {
    assert.ok(
      probability >= 0 && probability <= 1,
      `a probability is from 0 to 1, but that of node ${node} is ${probability}`,
    );
  }
}
