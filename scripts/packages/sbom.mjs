import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as CDX from '@cyclonedx/cyclonedx-library';
import { PackageURL } from 'packageurl-js';
import parse from 'spdx-expression-parse';
import { keyOf } from './production.mjs';

const VERSION = CDX.Spec.Version.v1dot6;

/** The bill of materials of what users may install, as CycloneDX 1.6 in JSON; the same tree gives the same text. */
export function makeSbom(root, packages) {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const integrities = lockedIntegrities(root);
  const components = new Map(packages.map((entry) => [entry, componentOf(entry, integrities.get(keyOf(entry)))]));
  for (const [entry, component] of components) {
    for (const needed of entry.needs) component.dependencies.add(components.get(needed).bomRef);
  }
  const bom = new CDX.Models.Bom();
  bom.metadata.component = new CDX.Models.Component(CDX.Enums.ComponentType.Application, own.name, {
    bomRef: own.name,
  });
  for (const component of components.values()) {
    bom.components.add(component);
    if (component.group === '@foretoken') bom.metadata.component.dependencies.add(component.bomRef);
  }
  const serializer = new CDX.Serialize.JsonSerializer(new CDX.Serialize.JSON.Normalize.Factory(CDX.Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

/** What is wrong in a bill of materials: its form, by the schema of CycloneDX, and packages that it lacks. */
export async function sbomFaults(text, packages) {
  const invalid = await new CDX.Validation.JsonStrictValidator(VERSION).validate(text);
  const faults = invalid === null ? [] : [`it is not CycloneDX: ${JSON.stringify(invalid).slice(0, 400)}`];
  const { components } = JSON.parse(text);
  const listed = new Set(components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`));
  for (const entry of packages) if (!listed.has(keyOf(entry))) faults.push(`${keyOf(entry)} is missing`);
  for (const { group, name, hashes, licenses } of components) {
    if (group !== '@foretoken' && !hashes?.length) faults.push(`${name} has no digest`);
    if (!licenses?.length) faults.push(`${name} has no licence`);
  }
  return faults;
}

function componentOf(entry, integrity) {
  const { name, version, description, license } = entry.manifest;
  const [group, base] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const component = new CDX.Models.Component(CDX.Enums.ComponentType.Library, base, {
    bomRef: keyOf(entry),
    group,
    version,
    description,
    purl: new PackageURL('npm', group, base, version).toString(),
  });
  component.licenses.add(licenceOf(license));
  if (integrity !== undefined) {
    component.hashes.set(CDX.Enums.HashAlgorithm['SHA-512'], Buffer.from(integrity, 'base64').toString('hex'));
  }
  return component;
}

function licenceOf(license) {
  if (CDX.SPDX.isSupportedSpdxId(license)) return new CDX.Models.SpdxLicense(license);
  try {
    parse(license);
    return new CDX.Models.LicenseExpression(license);
  } catch {
    return new CDX.Models.NamedLicense(`${license}`);
  }
}

/** Digests of tarballs, by name and version, as the lock file has them. */
function lockedIntegrities(root) {
  const text = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');
  const entries = text.matchAll(/^ {2}'?([^\s'][^'\n]*?)'?:\n {4}resolution: \{integrity: sha512-([A-Za-z0-9+/=]+)/gm);
  return new Map([...entries].map(([, key, digest]) => [key, digest]));
}
