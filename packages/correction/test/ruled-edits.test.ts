import { expect, it } from 'vitest';
import { type Proposal, whyNot } from '../src/edits.js';
import { SpanIndex } from '../src/spans.js';

const TEXT = 'a smal dog';

const proposal = (probability: number): Proposal => ({
  start: 2,
  end: 6,
  before: 'smal',
  after: 'small',
  probability,
  parts: [{ start: 2, end: 6, after: 'small' }],
  clarity: 1,
});

it('refuses what a rule made the model say where it is less than half sure, and nothing else for that', () => {
  const judgement = { shields: [], names: new SpanIndex(), minConfidence: 0, rewritten: false };
  expect(whyNot(proposal(0.49), TEXT, { ...judgement, ruled: true })).toBe('refused');
  expect(whyNot(proposal(0.5), TEXT, { ...judgement, ruled: true })).toBeUndefined();
  expect(whyNot(proposal(0.49), TEXT, { ...judgement, ruled: false })).toBeUndefined();
});
