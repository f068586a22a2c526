import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { Replay } from './replay.js';
import './style.css';

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component('Replay', Replay);
  },
} satisfies Theme;
