import type {
  Drafter,
  DraftLimit,
  DraftRequest,
  DraftSession,
  DraftTree,
  TokenSource,
  Vocabulary,
} from '@foretoken/core';
import { hasMethods, show } from '@foretoken/core/kit';
import assert from './assert.js';
import { lawOver } from './readable.js';

/** Opens a drafter; a session that is none is named as the fault that it is. */
export async function openDrafter(
  drafter: Drafter<TokenSource>,
  sources: readonly TokenSource[],
): Promise<DraftSession> {
  assert.ok(hasMethods(drafter, 'open'), `a drafter has a method open(sources, context), but it is ${show(drafter)}`);
  const session: unknown = await drafter.open(sources, {});
  for (const method of ['propose', 'finish', Symbol.asyncDispose] as const) {
    const has = typeof (session as Partial<Record<typeof method, unknown>> | undefined)?.[method] === 'function';
    assert.ok(
      has,
      `a session has a method ${typeof method === 'symbol' ? '[Symbol.asyncDispose]' : method}, but open gave ${show(session)}`,
    );
  }
  const { forwards } = session as DraftSession;
  const counts = Number.isInteger(forwards) && forwards >= 0;
  assert.ok(counts, `a session counts its forwards in the field forwards, from 0, but it is ${show(forwards)}`);
  return session as DraftSession;
}

/** The drafts of several rows, one for each. */
export async function proposeAll(
  session: DraftSession,
  requests: readonly DraftRequest[],
): Promise<readonly DraftTree[]> {
  assert.ok(hasMethods(session, 'propose'), `a session has a method propose, but it is ${show(session)}`);
  const drafts: unknown = await session.propose(requests);
  assert.ok(Array.isArray(drafts), `propose gives an array of drafts, but it gave ${show(drafts)}`);
  const count = `there is one draft for each row that was asked about, but ${drafts.length} for ${requests.length}`;
  assert.equal(drafts.length, requests.length, count);
  for (const draft of drafts) assertShape(draft);
  return drafts as readonly DraftTree[];
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
