export * from './anywhere.js';
export { loadModel } from './node/load-model.js';
export { openModelFolder } from './node/open-model-folder.js';
export { runStoppable, stopWorker } from './node/stoppable-worker.js';
