/** A value of a template, as the library holds it. */
export interface TemplateValue {
  readonly type?: unknown;
  readonly value: unknown;
}

/** What Python prints of a value of a template: `True`, `['a', 1]`, `{'b': None}`; undefined values print nothing. */
export function printedValue(given: TemplateValue): string {
  return given.type === 'StringValue' ? String(given.value) : shown(given);
}

/** As it stands in a list, where texts have quotes. */
function shown(given: TemplateValue): string {
  const { type, value } = given;
  switch (type) {
    case 'StringValue':
      return quoted(String(value));
    case 'BooleanValue':
      return value === true ? 'True' : 'False';
    case 'NullValue':
      return 'None';
    case 'UndefinedValue':
      return '';
    case 'TupleValue':
      return listed(value, '(', (value as readonly unknown[]).length === 1 ? ',)' : ')');
    case 'ArrayValue':
      return listed(value, '[', ']');
    case 'ObjectValue':
      return `{${Array.from(value as ReadonlyMap<string, TemplateValue>, ([name, one]) => `${quoted(name)}: ${shown(one)}`).join(', ')}}`;
    default:
      return String(given);
  }
}

const listed = (values: unknown, begin: string, end: string): string =>
  `${begin}${(values as readonly TemplateValue[]).map(shown).join(', ')}${end}`;

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', ' ': ' ' };

function quoted(text: string): string {
  const sign = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text.replace(/[\\\p{C}\p{Z}]/gu, (one) => ESCAPES[one] ?? numbered(one.codePointAt(0) ?? 0));
  return `${sign}${sign === "'" ? inside.replaceAll("'", "\\'") : inside}${sign}`;
}

/** A sign that prints nothing, by its number. */
function numbered(point: number): string {
  const [mark, width] = point < 0x100 ? ['x', 2] : point < 0x10000 ? ['u', 4] : ['U', 8];
  return `\\${mark}${point.toString(16).padStart(width, '0')}`;
}
