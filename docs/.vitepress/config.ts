import { defineConfig } from 'vitepress';
import { writeTexts } from './llms.js';
import { CHINESE, ENGLISH } from './sidebar.js';

export default defineConfig({
  title: 'Foretoken',
  description: 'Decoding strategies with speculative decoding, in TypeScript, on ONNX Runtime',
  cleanUrls: true,
  lastUpdated: false,
  srcExclude: ['test/**', 'README.md'],
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  // The other themes have colours that are hard to read.
  markdown: { theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' } },
  // The home page of the theme has no main landmark.
  transformHtml: (html) => html.replace('<div class="VPContent is-home"', '<div role="main" class="VPContent is-home"'),
  // Dead links stop the build; dead anchors are found after it, by `check-links.mjs`.
  ignoreDeadLinks: false,
  buildEnd: ({ outDir, srcDir }) => writeTexts(srcDir, outDir, ENGLISH),
  // Each language has pages that the other has not, so a change of language leads to its home.
  themeConfig: { search: { provider: 'local' }, i18nRouting: false },
  locales: {
    root: {
      label: 'English',
      lang: 'en',
      themeConfig: {
        nav: [
          { text: 'Guide', link: '/guide/why' },
          { text: 'Plugins', link: '/plugins/greedy' },
          { text: 'API', link: '/api/' },
        ],
        sidebar: ENGLISH,
      },
    },
    zh: {
      label: '简体中文',
      lang: 'zh-CN',
      description: '自回归、非自回归与推测解码：TypeScript 解码策略，基于 ONNX Runtime',
      themeConfig: {
        nav: [
          { text: '指南', link: '/zh/guide/why' },
          { text: 'API', link: '/api/' },
        ],
        sidebar: CHINESE,
        outline: { label: '本页目录' },
        docFooter: { prev: '上一页', next: '下一页' },
        darkModeSwitchLabel: '外观',
        sidebarMenuLabel: '菜单',
        returnToTopLabel: '回到顶部',
        langMenuLabel: '语言',
      },
    },
  },
});
