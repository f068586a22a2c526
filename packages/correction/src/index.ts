export { type CorrectionDrafterOptions, correctionDrafter } from './correction-drafter.js';
export {
  type Correction,
  type CorrectOptions,
  type Corrector,
  type CorrectorOptions,
  correctText,
  createCorrector,
} from './corrector.js';
export type { Edit, LeftAlone, LeftAloneReason, MadeEdit } from './edits.js';
export type { CorrectionModel, CorrectionTokenizer } from './model.js';
export { FencedCode } from './prose-lines.js';
export type { Span } from './spans.js';
