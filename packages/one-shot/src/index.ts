export * from './ctc/index.js';
export * from './dag/index.js';
export * from './diagnose/index.js';
export * from './nat/index.js';
export * from './rescoring/index.js';
