import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { FamilyPicture } from './family-picture.js';
import { Replay } from './replay.js';
import './family-picture.css';
import './style.css';

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component('FamilyPicture', FamilyPicture);
    app.component('Replay', Replay);
  },
} satisfies Theme;
