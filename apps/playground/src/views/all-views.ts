import type { Trace } from '@foretoken/streams';
import { acceptance } from './acceptance.js';
import { beamTreeView } from './beam-tree.js';
import { canvasView } from './canvas.js';
import { curveView } from './curve.js';
import { dagView } from './dag.js';
import { divergenceView } from './divergence.js';
import { drafts } from './drafts.js';
import { editsView } from './edits.js';
import { framesView } from './frames.js';
import { timeline } from './timeline.js';
import type { View } from './view.js';

/** Views of one decode; what its events do not hold is not shown. */
export const OWN_VIEWS: readonly View[] = [
  drafts,
  acceptance,
  beamTreeView,
  framesView,
  dagView,
  canvasView,
  editsView,
  divergenceView,
];

/** Views of all that race. */
export const COMMON_VIEWS: readonly View[] = [timeline, curveView];

export function viewsOf(trace: Trace, traces: readonly Trace[]): View[] {
  return OWN_VIEWS.filter(({ shows }) => shows(trace, traces));
}
