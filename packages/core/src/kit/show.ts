/** A value in a few words for a message. It never throws, whatever the value is, and never prints all of a long one. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'bigint') return value < 10n ** 30n && value > -(10n ** 30n) ? `${value}n` : 'a bigint';
  if (typeof value === 'symbol') return String(value).slice(0, 60);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`;
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    const name = `${/^[AEIO]/.test(tag) ? 'an' : 'a'} ${tag === 'Object' ? 'object' : tag.slice(0, 60)}`;
    return ArrayBuffer.isView(value) && 'length' in value ? `${name} of ${value.length}` : name;
  } catch {
    return 'an object that cannot be read';
  }
}

/** What was thrown, in its own words where it has any: anything can be thrown. It never throws itself. */
export function thrownWords(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return show(error);
  }
}
