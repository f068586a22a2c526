import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { randomScriptedModel } from '@foretoken/testkit';
import { regularExpressionConstraint } from './regular-expression-constraint.ts';

// { "type": "object", "properties": {
//     "colour": { "enum": ["red", "green", "blue"] },
//     "count": { "type": "integer", "minimum": 0, "maximum": 999 } } }
const colour = '"(?:red|green|blue)"';
const count = '(?:0|[1-9][0-9]{0,2})';
const pattern = new RegExp(`\\{"colour":${colour},"count":${count}\\}`);

// A vocabulary of whole words, single characters and pieces that mean nothing here; token 0 ends an output.
const words = '{" ": "," " ," } colour count red gre en blue the 0 1 2 3 4 5 6 7 8 9';
const pieces = ['', ...words.split(' ')];

// Any model will do, even one that knows nothing: random scores, and still an object that fits.
const model = randomScriptedModel({ seed: 3, vocabularySize: pieces.length });
const constraint = regularExpressionConstraint(pattern, model.vocabulary, (tokenId) => pieces[tokenId] ?? '');

const { results } = await collect(
  greedy({ constraint }).decode(model, { sources: [Int32Array.of(2), Int32Array.of(5), Int32Array.of(9)] }),
);
/** The objects, parsed: one for each source. */
export const objects: unknown[] = results.map(({ hypotheses: [best] }) =>
  JSON.parse(Array.from(best?.tokenIds ?? [], (tokenId) => pieces[tokenId]).join('')),
);
console.log(objects);
