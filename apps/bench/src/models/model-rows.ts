import type { ModelRow } from './model-row.js';

/** Every model that `npm run bench -- models` and its test decode with. */
export const MODEL_ROWS: readonly ModelRow[] = [];
