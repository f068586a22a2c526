import { defineConfig } from 'vitepress';

const plugins = [
  'greedy',
  'beam',
  'one-shot',
  'refine',
  'speculative',
  'correction',
  'language-models',
  'models',
  'importers',
  'testkit',
  'metrics',
];

export default defineConfig({
  title: 'Foretoken',
  description: 'Decoding strategies with speculative decoding, in TypeScript, on ONNX Runtime',
  cleanUrls: true,
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  // The other themes have colours that are hard to read.
  markdown: { theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' } },
  // The home page of the theme has no main landmark.
  transformHtml: (html) => html.replace('<div class="VPContent is-home"', '<div role="main" class="VPContent is-home"'),
  lastUpdated: false,
  srcExclude: ['test/**', 'README.md'],
  // Docstrings link to types that typedoc leaves out, such as those of ONNX Runtime.
  ignoreDeadLinks: [/^\.\/.*api/, /^(\.\.\/)+/],
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guide', link: '/guide/why' },
      { text: 'Plugins', link: '/plugins/greedy' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      {
        text: 'Guide',
        items: [
          { text: 'Why and when', link: '/guide/why' },
          { text: 'Quick start', link: '/guide/quick-start' },
          { text: 'Seen at work', link: '/guide/seen-at-work' },
          { text: 'Concepts', link: '/guide/concepts' },
          { text: 'All at once, and again', link: '/guide/non-autoregressive' },
          { text: 'Correcting text', link: '/guide/correcting-text' },
          { text: 'Your own model', link: '/guide/your-model' },
          { text: 'Language models', link: '/guide/language-models' },
          { text: 'ONNX exports as they are', link: '/guide/onnx-exports' },
          { text: 'In the browser', link: '/guide/browser' },
          { text: 'Constrained output', link: '/guide/constraints' },
          { text: 'Write a decoder', link: '/guide/write-a-decoder' },
          { text: 'Write a drafter', link: '/guide/write-a-drafter' },
          { text: 'Exactness and figures', link: '/guide/exactness' },
          { text: 'Command line', link: '/guide/command-line' },
          { text: 'Errors by code', link: '/guide/errors' },
        ],
      },
      { text: 'Plugins', items: plugins.map((text) => ({ text, link: `/plugins/${text}` })) },
      { text: 'API reference', link: '/api/' },
    ],
  },
});
