import { arch, cpus, platform } from 'node:os';

/** What the figures were measured on. */
export function machineReport(): Record<string, string> {
  return { platform: platform(), arch: arch(), cpu: cpus()[0]?.model ?? 'unknown', node: process.version };
}
