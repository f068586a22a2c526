import { existsSync, readFileSync } from 'node:fs';

interface Item {
  readonly text: string;
  readonly link: string;
}

interface Group {
  readonly text: string;
  readonly items: Item[];
}

const group = (text: string, folder: string, pages: Readonly<Record<string, string>>): Group => ({
  text,
  items: Object.entries(pages).map(([page, title]) => ({ text: title, link: `${folder}/${page}` })),
});

const PLUGINS = [
  'greedy',
  'beam',
  'one-shot',
  'refine',
  'speculative',
  'correction',
  'language-models',
  'models',
  'hub',
  'importers',
  'ai-sdk',
  'langchain',
  'opentelemetry',
  'streams',
  'testkit',
  'metrics',
];

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** The modules of the API reference, by the names that programs import. */
function apiItems(): Item[] {
  const { entryPoints } = JSON.parse(read('../typedoc.json')) as { readonly entryPoints: readonly string[] };
  return entryPoints.map((file) => {
    const [, folder = '', inner = ''] = /packages\/([^/]+)\/src\/(?:(.+)\/)?index\.ts$/.exec(file) ?? [];
    const text = ['@foretoken', folder, inner].filter((part) => part !== '').join('/');
    const alone = existsSync(new URL(`../api/${text}.md`, import.meta.url));
    return { text, link: `/api/${text}${alone ? '' : '/'}` };
  });
}

export const ENGLISH: Group[] = [
  group('Begin', '/guide', {
    why: 'Why and when',
    'quick-start': 'Quick start',
    'seen-at-work': 'Seen at work',
    'coming-from': 'Coming from Hugging Face',
    faq: 'Questions',
  }),
  group('Use', '/guide', {
    concepts: 'Concepts',
    'non-autoregressive': 'All at once, and again',
    'correcting-text': 'Correcting text',
    constraints: 'Constrained output',
    'your-model': 'Your own model',
    'language-models': 'Language models',
    'onnx-exports': 'ONNX exports as they are',
    'recurrent-models': 'Recurrent models',
    'ctc-models': 'CTC models',
    speech: 'Speech',
    browser: 'In the browser',
    integrations: 'Integrations',
    'command-line': 'Command line',
  }),
  group('Write your own', '/guide', {
    'write-a-decoder': 'Write a decoder',
    'write-a-drafter': 'Write a drafter',
    'write-a-model': 'Write a model',
  }),
  group('Look up', '/guide', {
    exactness: 'Exactness and figures',
    performance: 'Performance',
    errors: 'Errors by code',
    glossary: 'Glossary and papers',
    versions: 'Versions and changes',
  }),
  { text: 'Plugins', items: PLUGINS.map((text) => ({ text, link: `/plugins/${text}` })) },
  // Not one that can be folded: the theme puts a button into a button there.
  { text: 'API reference', items: [{ text: 'All packages', link: '/api/' }, ...apiItems()] },
];

export const CHINESE: Group[] = [
  group('开始', '/zh/guide', {
    why: '为什么，何时用',
    'quick-start': '快速上手',
    'seen-at-work': '看它怎样工作',
    choosing: '如何选择',
    strategies: '解码策略',
    'coming-from': '从 Hugging Face 转来',
    faq: '常见问题',
  }),
  group('使用', '/zh/guide', {
    concepts: '基本概念',
    'non-autoregressive': '一次写出，反复修改',
    'correcting-text': '文本纠错',
    constraints: '受约束的输出',
    'your-model': '你自己的模型',
    'language-models': '语言模型',
    'onnx-exports': '直接打开 ONNX 导出',
    'recurrent-models': '循环网络模型',
    'ctc-models': 'CTC 模型',
    speech: '语音',
    browser: '在浏览器里',
    integrations: '集成',
    'command-line': '命令行',
  }),
  group('自己动手', '/zh/guide', {
    'write-a-decoder': '编写解码器',
    'write-a-drafter': '编写起草器',
    'write-a-model': '编写模型',
  }),
  group('查阅', '/zh/guide', {
    exactness: '精确性与数据',
    performance: '性能',
    errors: '错误代码',
    glossary: '术语与论文',
    versions: '版本与变更',
  }),
];
