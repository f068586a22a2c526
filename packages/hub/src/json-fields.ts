type Fields = Readonly<Record<string, unknown>>;

/** The fields of a JSON text of the hub; none where it is no JSON or no object. */
export function jsonFields(text: string): Fields {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return {};
  }
}

/** The fields of a value; none of what has none. */
export function fieldsOf(value: unknown): Fields {
  return Object(value);
}
