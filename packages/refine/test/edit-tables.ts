import type { DecodeRequest, Decoder, EditModel, TokenSource } from '@foretoken/core';
import {
  assertStream,
  eventsOf,
  type ScriptedEditModel,
  type ScriptedEditOptions,
  scriptedEditModel,
} from '@foretoken/testkit';
import { expect } from 'vitest';
import { peaked } from './table-model.js';

/** `]` is the end token 0, `[` the start token, `?` the placeholder. */
export const LETTERS = ']abcdef[?';
export const START = LETTERS.indexOf('[');
const PLACEHOLDER = LETTERS.indexOf('?');
export const SOURCES: readonly TokenSource[] = [Int32Array.of(1)];
export const toText = (tokenIds: Iterable<number>): string => [...tokenIds].map((tokenId) => LETTERS[tokenId]).join('');
export const toTokens = (text: string): Int32Array => Int32Array.from(text, (letter) => LETTERS.indexOf(letter));

/** For each canvas: letters that are deleted, placeholders a gap, or letters filled in at 90 percent. */
export interface EditTable {
  readonly deletions?: Readonly<Record<string, string>>;
  readonly placeholders?: Readonly<Record<string, string>>;
  readonly fill?: Readonly<Record<string, string>>;
}

export function tableModel(table: EditTable, more: Partial<ScriptedEditOptions> = {}): ScriptedEditModel {
  const entry = (of: Readonly<Record<string, string>> | undefined, canvas: Int32Array): string => {
    const found = of?.[toText(canvas)];
    if (found === undefined) throw new Error(`the canvas ${toText(canvas)} is not in the table`);
    return found;
  };
  return scriptedEditModel({
    vocabularySize: LETTERS.length,
    startTokenId: START,
    endTokenId: 0,
    placeholderTokenId: PLACEHOLDER,
    deletions: (_, canvas) => {
      const letters = entry(table.deletions, canvas);
      return Float32Array.from(canvas, (tokenId) => (letters.includes(LETTERS[tokenId]) ? 0.6 : 0.5));
    },
    placeholders: (_, canvas) => [...entry(table.placeholders, canvas)].map(Number),
    score: (_, canvas, position) => peaked('.abcdefg_'[LETTERS.indexOf(entry(table.fill, canvas)[position])], 0.9),
    ...more,
  });
}

export async function run(
  model: ScriptedEditModel,
  decoder: Decoder<EditModel<TokenSource>>,
  request: Partial<DecodeRequest<TokenSource>> = {},
) {
  const events = await eventsOf(decoder.decode(model, { sources: SOURCES, ...request }));
  const end = assertStream(events, (request.sources ?? SOURCES).length, 0);
  expect(end.statistics.forwards).toBe(model.forwards);
  expect(model.stillOpen).toBe(0);
  return {
    output: toText(end.results[0].hypotheses[0].tokenIds),
    best: end.results[0].hypotheses[0],
    asked: model.calls.flatMap(({ call, canvases }) => canvases.map(({ tokenIds }) => `${call} ${toText(tokenIds)}`)),
    shown: events.flatMap((event) => (event.type === 'canvas-revise' ? [toText(event.tokenIds)] : [])),
  };
}

export const TRACE: EditTable = {
  deletions: { '[abc]': 'b', '[adc]': '[]' },
  placeholders: { '[]': '3', '[ac]': '010', '[adc]': '0000' },
  fill: { '[???]': '[abc]', '[a?c]': '[adc]' },
};
