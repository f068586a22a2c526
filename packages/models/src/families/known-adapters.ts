import type { AdaptFolder } from './adapter.js';
import { adaptExport } from './onnx-export/adapt-export.js';

/** What makes a manifest for folders of other programs, which have none. Each is asked in turn; loaded with the first such folder. */
export const KNOWN_ADAPTERS: readonly AdaptFolder[] = [adaptExport];
