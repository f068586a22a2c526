/** What bundlers for browsers take in the place of `index.ts`: the same without what only Node has. */
export * from './anywhere.js';
export { loadModel } from './web/load-model.js';
export { openModelFolder } from './web/open-model-folder.js';
