import { append } from '@foretoken/core/kit';
import { loadCode } from '../../load-code.js';
import type { OpenedPart } from '../../parts/model-part.js';
import type { SideFiles } from './side-files.js';
import type { Surroundings } from './student-surroundings.js';

/**
 * The students that a folder has, the code of each kind loaded where there is one; their graphs are opened when they are first used.
 *
 * Throws `INVALID_MODEL_FOLDER` for a faulty file beside the graphs, `RUNTIME_FAILURE`.
 */
export async function openStudents(given: Omit<Surroundings, 'shortlist'>): Promise<readonly OpenedPart[]> {
  const { folder, manifest } = given;
  const { graphs, ngrams, shortlist: listed } = manifest;
  let beside: SideFiles = {};
  if (ngrams !== undefined || listed !== undefined) {
    const { readSideFiles } = await loadCode('students', () => import('./side-files.js'));
    beside = await readSideFiles(folder, manifest);
  }
  const surroundings = { ...given, shortlist: beside.shortlist };
  const { canvas, ctc, dag, edit } = graphs;
  const parts: (OpenedPart | undefined)[] = [];
  if (ctc !== undefined || dag !== undefined) {
    const { latticeParts } = await loadCode('students', () => import('./lattice-students.js'));
    append(parts, latticeParts(surroundings));
  }
  if (canvas !== undefined || edit !== undefined) {
    const { canvasPart, editPart } = await loadCode('students', () => import('./canvas-students.js'));
    parts.push(canvasPart(surroundings), editPart(surroundings));
  }
  const { languageModel } = beside;
  parts.push(languageModel && { kind: 'languageModel', model: languageModel });
  return parts.filter((part) => part !== undefined);
}
