import {
  type FileContent,
  type FileLocation,
  type ManifestContent,
  type ModelManifest,
  proveModel,
  writeModelFolder,
} from '@foretoken/models/internal';
import type { TargetOptions } from './target-options.js';

/** What becomes a model folder: its manifest, the files' sizes and digests apart, and its files. */
export interface ModelContent {
  readonly manifest: ManifestContent;
  readonly files: Map<string, FileContent>;
}

/** Writes a model folder, which is read as loading reads it before it becomes the target. Throws what writing and reading it throw. */
export function writeModel(
  target: FileLocation,
  { manifest, files }: ModelContent,
  { replace = false, signal }: TargetOptions,
): Promise<ModelManifest> {
  return writeModelFolder(target, manifest, files, { replace, signal, prove: (path) => proveModel(path, signal) });
}
