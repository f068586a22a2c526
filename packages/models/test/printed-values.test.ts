import { expect, it } from 'vitest';
import { ChatTemplate } from '../src/processors/chat-template.js';

const MESSAGES = [
  { role: 'user', content: "a 'b'\n\"\u00a0\u{1f600}" },
  { role: 'assistant', content: "it's" },
];

// What Jinja 3.1.6 writes, as transformers sets it up.
it.each([
  ['{{ true }} {{ messages|length > 5 }} {{ none }} {{ tools }} {{ missing }}', 'True False None None '],
  [
    "{{ [1, 'a', none, true, 1.5, []] }} {{ {'a': {'b': [false]}} }}",
    "[1, 'a', None, True, 1.5, []] {'a': {'b': [False]}}",
  ],
  ["{{ 'x' ~ 1 ~ none ~ true ~ [\"'\"] }}", 'x1NoneTrue["\'"]'],
  ['{{ messages[0].content.split() }}', "['a', \"'b'\", '\"', '😀']"],
  [
    '{{ [messages[0].content] }} {{ messages[1] }}',
    "['a \\'b\\'\\n\"\\xa0😀'] {'role': 'assistant', 'content': \"it's\"}",
  ],
  ["{{ messages[1].content.endswith('s') }} {{ messages[1].content.startswith('x') }}", 'True False'],
  ['{{ "o\'neil STOP a-b 3d" | title }} {{ "o\'neil STOP a-b 3d".title() }}', "O'neil Stop A-B 3d O'Neil Stop A-B 3D"],
  ["{% set x = none %}{# none #}{% macro m() %}{{ true }}{% endmacro %}{{ m() }}{{ 'y' if false }}", 'True'],
])('%s is written as by Jinja', (template, written) => {
  const refuse = (cause: unknown): Error => new Error('refused', { cause });
  expect(new ChatTemplate(template, {}, refuse).text(MESSAGES)).toBe(written);
});
