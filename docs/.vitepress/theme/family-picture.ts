import { useData } from 'vitepress';
import { type Component, computed, defineComponent, h, type VNode } from 'vue';
import { pictureOf, type Row } from './families.js';

/** In units of the drawing; a phone shows one as about one pixel. */
const LABEL = 66;
const CELL = 50;
const HEIGHT = 30;
const GAP = 12;
const ARCS = 18;

const heightOf = ({ arcs }: Row): number => HEIGHT + GAP + (arcs === undefined ? 0 : ARCS);

function drawRow({ label, cells, arcs = [] }: Row, top: number): VNode[] {
  const y = top + (arcs.length > 0 ? ARCS : 0);
  const centre = (index: number): number => LABEL + index * CELL + CELL / 2;
  return [
    h('text', { x: 0, y: y + 20, class: 'label' }, label),
    ...arcs.map(([from, to]) => {
      const middle = (centre(from) + centre(to)) / 2;
      return h('path', { d: `M${centre(from)} ${y} Q${middle} ${y - 2 * ARCS + 6} ${centre(to)} ${y}`, class: 'arc' });
    }),
    ...cells.flatMap(([text, state], index) => [
      h('rect', { x: LABEL + index * CELL + 2, y, width: CELL - 4, height: HEIGHT, rx: 5, class: state }),
      h('text', { x: centre(index), y: y + 20, class: `token ${state}` }, text),
    ]),
  ];
}

/** A family's way of writing a sentence, drawn: `<FamilyPicture family="ctc" />`. */
export const FamilyPicture: Component = defineComponent({
  props: { family: { type: String, required: true } },
  setup(props) {
    const { lang } = useData();
    const picture = computed(() => pictureOf(props.family, lang.value.startsWith('zh') ? 'zh' : 'en'));
    return () => {
      const { alt, rows } = picture.value;
      let height = 4;
      const drawn = rows.flatMap((row) => {
        const nodes = drawRow(row, height);
        height += heightOf(row);
        return nodes;
      });
      const width = LABEL + CELL * Math.max(...rows.map(({ cells }) => cells.length)) + 2;
      return h('div', { class: 'family-picture' }, [
        h(
          'svg',
          {
            viewBox: `0 0 ${width} ${height}`,
            role: 'img',
            'aria-label': alt,
            style: { maxWidth: `${width * 1.4}px` },
          },
          [h('title', alt), ...drawn],
        ),
      ]);
    };
  },
});
