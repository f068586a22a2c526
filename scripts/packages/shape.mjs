import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/**
 * Findings that are what we mean: packages are ECMAScript modules alone. Every Node that `engines` names can `require` them
 * (each plugin is tried so), and TypeScript's `node10` resolution knows no `exports`.
 */
function isMeant({ kind, resolutionKind }) {
  return kind === 'CJSResolvesToESM' || resolutionKind === 'node10';
}

/** What publint and Are the Types Wrong find in a packed package. */
export async function shapeFaults({ manifest, tarball, unpacked }) {
  const { messages } = await publint({ pkgDir: unpacked, strict: true, pack: false });
  const faults = messages.map((message) => `publint: ${formatMessage(message, manifest, { color: false })}`);
  // Wildcards of files are no modules.
  const entrypoints = Object.keys(manifest.exports ?? {}).filter((entry) => !/\*|\.json$/.test(entry));
  if (entrypoints.length === 0) return faults;
  const { types, problems } = await checkPackage(createPackageFromTarballData(readFileSync(tarball)), { entrypoints });
  if (types === false) return [...faults, 'it has no types'];
  const wrong = problems.filter((problem) => !isMeant(problem));
  return [...faults, ...wrong.map((problem) => `types: ${JSON.stringify(problem).slice(0, 300)}`)];
}
