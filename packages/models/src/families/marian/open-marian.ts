import { openEncoderDecoder } from '../../drivers/open-encoder-decoder.js';
import type { OpenedPart } from '../../parts/model-part.js';
import type { OpenContext } from '../family.js';
import type { MarianManifest } from './marian-manifest.js';
import { openStudents } from './open-students.js';

/** A folder's teacher and students, opened when they are used. */
export async function openMarian(context: OpenContext<MarianManifest>): Promise<readonly OpenedPart[]> {
  const { folder, manifest, sessions } = context;
  const { architecture, graphs, limits, vocabulary } = manifest;
  const { part, encoder } = await openEncoderDecoder(
    {
      graphs,
      width: architecture.width,
      shape: { width: architecture.width, layers: architecture.decoderLayers },
      vocabulary,
      sourceVocabulary: { size: vocabulary.size, padTokenId: vocabulary.padTokenId ?? vocabulary.endTokenId },
      beginning: [vocabulary.startTokenId],
      limits,
      maxCandidates: manifest.step?.maxCandidates ?? 1,
    },
    context,
  );
  return [part, ...(await openStudents({ folder, manifest, sessions, encoder }))];
}
