import { render } from 'preact';
import '../style/replay.css';
import '../style/app.css';
import { App } from './app.js';
import { Racer } from './racer.js';

// The model begins to load before the page is drawn.
const racer = new Racer(new Worker(new URL('../run/worker.ts', import.meta.url), { type: 'module' }));
const place = document.querySelector('#app');
if (place !== null) render(<App racer={racer} />, place);
