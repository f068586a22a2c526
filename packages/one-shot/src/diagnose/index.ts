export { type CanvasDisagreementOptions, canvasDisagreement } from './canvas-disagreement.js';
export { type DiagnoseOptions, type Diagnosis, diagnose } from './diagnose.js';
export type { Disagreement } from './disagreement.js';
export { latticeDisagreement } from './lattice-disagreement.js';
export * from './output-statistics.js';
