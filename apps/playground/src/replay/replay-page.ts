// A page of nothing but recorded decodes, to be framed: `replay.html#traces=greedy+speculative&views=all`.
import '../style/app.css';
import { mountReplay } from './mount-replay.js';

const fields = new URLSearchParams(location.hash.slice(1));
const views = fields.get('views');
const place = document.querySelector<HTMLElement>('#replay');
if (place !== null) {
  const names = (fields.get('traces') ?? 'correct-greedy correct-speculative correct-ctc').split(' ');
  mountReplay(place, names, views === 'own' || views === 'none' ? views : 'all').catch((error: unknown) => {
    place.textContent = error instanceof Error ? error.message : String(error);
  });
}
