import { largest, smallest } from '@foretoken/core/kit';
import { scaleLinear, scaleLog } from 'd3-scale';
import type { Quality, Summary } from './measurements.js';

const AXES: Readonly<Record<Quality, string>> = { bleu: 'BLEU', chrf: 'chrF', exact: '% equal to greedy' };

interface Scales {
  readonly x: (milliseconds: number) => number;
  readonly y: (quality: number) => number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

/** Time from left to right, logarithmic; quality from bottom to top. */
function scalesFor(summaries: readonly Summary[], width: number, height: number, ticks: number): Scales {
  const times = summaries.map(({ milliseconds }) => Math.max(milliseconds, 1e-3));
  const qualities = summaries.map(({ quality }) => quality);
  const x = scaleLog()
    .domain([smallest(times) / 1.1, largest(times) * 1.1])
    .range([0, width]);
  const [low, high] = [smallest(qualities), largest(qualities)];
  const y = scaleLinear()
    .domain(low === high ? [low - 1, high + 1] : [low, high])
    .nice()
    .range([height, 0]);
  return {
    x: (milliseconds) => x(Math.max(milliseconds, 1e-3)),
    y,
    xTicks: thinned(x.ticks(ticks), ticks),
    yTicks: y.ticks(ticks),
  };
}

/** Logarithmic ticks may be more than asked for. */
function thinned(ticks: readonly number[], max: number): number[] {
  const every = Math.ceil(ticks.length / max);
  return ticks.filter((_, index) => index % every === 0);
}

/** A chart of characters: `#` the advice, `*` others of the front, `.` the rest. */
export function terminalChart(
  summaries: readonly Summary[],
  front: readonly Summary[],
  recommended: Summary,
  quality: Quality,
  columns: number,
): string[] {
  const [width, height, left] = [Math.min(60, Math.max(12, columns - 8)), 10, 6];
  const { x, y, yTicks } = scalesFor(summaries, width - 1, height - 1, 4);
  const rows = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '));
  // The advice is drawn last, so that nothing covers it.
  const order = [...summaries.filter((one) => !front.includes(one)), ...front, recommended];
  for (const one of order) {
    const mark = one === recommended ? '#' : front.includes(one) ? '*' : '.';
    rows[Math.round(y(one.quality))][Math.round(x(one.milliseconds))] = mark;
  }
  const labels = new Map(yTicks.map((tick) => [Math.round(y(tick)), String(tick)]));
  const times = summaries.map(({ milliseconds }) => milliseconds);
  const [fast, slow] = [`${smallest(times).toFixed(1)} ms`, `${largest(times).toFixed(1)} ms`];
  return [
    AXES[quality],
    ...rows.map((row, index) => `${(labels.get(index) ?? '').padStart(left)}|${row.join('').trimEnd()}`),
    `${' '.repeat(left)}+${'-'.repeat(width)}`,
    `${' '.repeat(left + 1)}${fast}${slow.padStart(width - fast.length)}`,
    '# recommended  * front  . others',
  ];
}

const SIZE = { width: 720, height: 440, left: 60, right: 150, top: 20, bottom: 50 } as const;

/** The same as a drawing that stands alone, readable on light and dark. */
export function svgChart(
  summaries: readonly Summary[],
  front: readonly Summary[],
  recommended: Summary,
  quality: Quality,
): string {
  const { width, height, left, right, top, bottom } = SIZE;
  const [inner, tall] = [width - left - right, height - top - bottom];
  const { x, y, xTicks, yTicks } = scalesFor(summaries, inner, tall, 6);
  const at = (one: Summary): string => `${x(one.milliseconds).toFixed(1)},${y(one.quality).toFixed(1)}`;
  const point = (one: Summary): string => {
    const [cx, cy] = at(one).split(',');
    const kind = one === recommended ? 'best' : front.includes(one) ? 'front' : 'other';
    const title = `${one.name}: ${one.milliseconds.toFixed(2)} ms, ${one.quality.toFixed(1)} ${AXES[quality]}`;
    const label =
      kind === 'other' ? '' : `<text x="${Number(cx) + 9}" y="${Number(cy) + 4}">${escaped(one.name)}</text>`;
    return `<g class="${kind}"><circle cx="${cx}" cy="${cy}" r="${kind === 'best' ? 7 : 4}"><title>${escaped(title)}</title></circle>${label}</g>`;
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Time and quality of decoding strategies" font-family="sans-serif" font-size="12">`,
    '<style>text{fill:#555}.axis{stroke:#888}.grid{stroke:#8884}.line{fill:none;stroke:#2a78b5;stroke-width:1.5}.other circle{fill:#999}.front circle{fill:#2a78b5}.best circle{fill:#d2691e}.best text{font-weight:bold;fill:#d2691e}@media(prefers-color-scheme:dark){text{fill:#bbb}}</style>',
    `<g transform="translate(${left},${top})">`,
    ...yTicks.map(
      (tick) =>
        `<line class="grid" x1="0" x2="${inner}" y1="${y(tick)}" y2="${y(tick)}"/><text x="-8" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`,
    ),
    ...xTicks.map((tick) => `<text x="${x(tick).toFixed(1)}" y="${tall + 18}" text-anchor="middle">${tick}</text>`),
    `<path class="axis" fill="none" d="M0,0V${tall}H${inner}"/>`,
    `<text x="${inner / 2}" y="${tall + 38}" text-anchor="middle">milliseconds a sentence</text>`,
    `<text x="0" y="-6">${escaped(AXES[quality])}</text>`,
    `<polyline class="line" points="${front.map(at).join(' ')}"/>`,
    ...summaries.map(point),
    '</g></svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
