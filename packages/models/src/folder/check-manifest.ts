import * as v from 'valibot';
import type { ModelFamily } from '../families/family.js';
import { claimsOf } from '../families/family-answers.js';
import { familyNames, findFamily } from '../families/registry.js';
import { assertPlainFileName } from './file-names.js';
import { isObject, MAX_NESTING, parseJson } from './json.js';
import { MANIFEST_FILE, type ModelManifest } from './manifest.js';
import { checkAgreement, type Refuse } from './manifest-agreement.js';
import { FORMAT, FORMAT_VERSION } from './manifest-schema.js';
import { isNestedDeeper } from './nesting.js';
import { invalidFolder, quote, unsupportedModel } from './refusal.js';

/** Reads a manifest's text. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function parseManifest(text: string, folder: string): Promise<ModelManifest> {
  return checkManifest(parseJson(text, MANIFEST_FILE, { folder }), folder);
}

/** Checks a manifest's shape and that its parts agree. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function checkManifest(value: unknown, folder: string): Promise<ModelManifest> {
  const refuse: Refuse = (field, received, required) => {
    throw invalidFolder(
      `${MANIFEST_FILE}: ${field} is ${quote(received)}, but it must be ${required}. Correct it, or import the model again.`,
      { folder, file: MANIFEST_FILE, field, received, required },
    );
  };
  if (!isObject(value)) return refuse('the whole file', value, 'a JSON object');
  const family = await checkRelease(value, folder, refuse);
  // Counted before anything walks them. A list would pass as an object below.
  for (const field of ['files', 'training'] as const) {
    if (value[field] !== undefined && !isObject(value[field])) refuse(field, value[field], 'an object');
  }
  for (const [field, inner] of Object.entries(value)) {
    if (isNestedDeeper(inner, MAX_NESTING - 1)) refuse(field, inner, `nested at most ${MAX_NESTING} levels deep`);
  }
  if (isObject(value.files) && Object.keys(value.files).length > 1000) {
    refuse('files', Object.keys(value.files).length, 'a list of at most 1000 files');
  }
  const result = v.safeParse(family.schema, value, { abortEarly: true });
  if (!result.success) return refuseIssue(result.issues[0], refuse);
  const manifest = result.output;
  // The schema leaves out names such as __proto__, so the original's names are the ones to check.
  for (const name of Object.keys(value.files as object)) {
    assertPlainFileName(name, { folder, file: MANIFEST_FILE, field: 'files' });
    if (!Object.hasOwn(manifest.files, name)) refuse('files', name, 'a usable file name');
  }
  checkAgreement(manifest, claimsOf(family, manifest), refuse);
  family.checkAgreement?.(manifest, refuse);
  return manifest;
}

/** The release and the family come first: under another one, the rest of the manifest may mean something else. */
async function checkRelease(manifest: Record<string, unknown>, folder: string, refuse: Refuse): Promise<ModelFamily> {
  const { format, formatVersion, family } = manifest;
  if (format !== FORMAT) refuse('format', format ?? 'missing', quote(FORMAT));
  if (typeof formatVersion !== 'number' || !Number.isInteger(formatVersion) || formatVersion < 1) {
    refuse('formatVersion', formatVersion ?? 'missing', String(FORMAT_VERSION));
  }
  const upgrade = (field: string, received: unknown, required: string): never => {
    throw unsupportedModel(
      `${MANIFEST_FILE}: ${field} is ${quote(received)}, but this release knows ${required}. Upgrade @foretoken/models, or register the family.`,
      { folder, file: MANIFEST_FILE, field, received, required },
    );
  };
  if (formatVersion !== FORMAT_VERSION) upgrade('formatVersion', formatVersion, `only ${FORMAT_VERSION}`);
  if (typeof family !== 'string') refuse('family', family ?? 'missing', `one of ${familyNames().join(', ')}`);
  return (await findFamily(family)) ?? upgrade('family', family, familyNames().join(', '));
}

function refuseIssue(issue: v.BaseIssue<unknown>, refuse: Refuse): never {
  const field = (issue.path ?? []).map(({ key }) => String(key)).join('.');
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return refuse(field, 'present', 'absent: this release does not know it');
  }
  const required = issue.kind === 'validation' ? issue.message : `of type ${issue.expected}`;
  return refuse(field, issue.received === 'undefined' ? 'missing' : issue.input, required);
}
