/** What a cell of a picture says about its token; each has a shape of its own, not only a colour. */
export type CellState = 'decided' | 'new' | 'masked' | 'wrong' | 'left';

export interface Row {
  /** What stands before the cells: a forward, or what is done between forwards. */
  readonly label: string;
  readonly cells: readonly (readonly [text: string, state: CellState])[];
  /** Arcs from cell to cell, above the row. */
  readonly arcs?: readonly (readonly [from: number, to: number])[] | undefined;
}

export interface Picture {
  /** All that the picture shows, in words. */
  readonly alt: string;
  readonly rows: readonly Row[];
}

type Word = 'forward' | 'draft' | 'collapse' | 'path' | 'mask' | 'start' | 'output';

const WORDS: Readonly<Record<'en' | 'zh', Readonly<Record<Word, string>>>> = {
  en: {
    forward: 'forward',
    draft: 'draft',
    collapse: 'merge',
    path: 'path',
    mask: 'mask',
    start: 'start',
    output: 'output',
  },
  zh: {
    forward: '前向',
    draft: '草稿',
    collapse: '合并',
    path: '路径',
    mask: '遮盖',
    start: '开始',
    output: '输出',
  },
};

const ALT: Readonly<Record<'en' | 'zh', Readonly<Record<string, string>>>> = {
  en: {
    autoregressive: 'Four forwards. Each adds one token behind those before: Ein, then Mann, then fährt, then Rad.',
    parallel:
      'One forward turns four masked positions into Ein Mann Mann Rad at once. The second Mann is wrong: no position saw its neighbour.',
    ctc: 'One forward labels six frames: Ein, blank, Mann, Mann, fährt, Rad. Equal neighbours merge and the blank is dropped: Ein Mann fährt Rad.',
    dag: 'One forward gives six tokens in a row and links between them. The path Ein, Mann, fährt, Rad is the output; Herr and radelt are left out.',
    refinement:
      'Forward 1 fills four masks with Ein Mann Mann Rad. The third, the least sure, is masked again. Forward 2 makes it fährt.',
    edits: 'The start is Ein Mann Mann Rad. Forward 1 deletes the second Mann. Forward 2 inserts fährt.',
    speculative:
      'The draft is Mann, fährt, ein. The target checks all three in one forward: Mann and fährt are accepted, ein is rejected, and Rad is its correction.',
  },
  zh: {
    autoregressive: '四次前向计算，每次在已有词元之后增加一个：Ein、Mann、fährt、Rad。',
    parallel: '一次前向计算同时填满四个遮盖位置，得到 Ein Mann Mann Rad。第二个 Mann 是错的：各位置看不到彼此。',
    ctc: '一次前向计算给六帧打标签：Ein、空白、Mann、Mann、fährt、Rad。相邻重复合并、去掉空白后得到 Ein Mann fährt Rad。',
    dag: '一次前向计算给出六个顶点和它们之间的边。路径 Ein、Mann、fährt、Rad 是输出，Herr 和 radelt 被跳过。',
    refinement: '第一次前向把四个遮盖填成 Ein Mann Mann Rad；最没把握的第三个位置重新遮盖；第二次前向把它填成 fährt。',
    edits: '从 Ein Mann Mann Rad 开始。第一次前向删除第二个 Mann，第二次前向插入 fährt。',
    speculative: '草稿是 Mann、fährt、ein。目标模型一次前向验证三个词元：接受 Mann 和 fährt，拒绝 ein，并修正为 Rad。',
  },
};

const cells = (state: CellState, ...texts: readonly string[]): Row['cells'] =>
  texts.map((text) => [text, state] as const);
const masks = (count: number): Row['cells'] => Array.from({ length: count }, () => ['?', 'masked'] as const);

function rowsOf(family: string, word: Readonly<Record<Word, string>>): readonly Row[] {
  const forward = (index: number): string => `${word.forward} ${index}`;
  const words = ['Ein', 'Mann', 'fährt', 'Rad'];
  switch (family) {
    case 'autoregressive':
      return words.map((text, index) => ({
        label: forward(index + 1),
        cells: [...cells('decided', ...words.slice(0, index)), ...cells('new', text)],
      }));
    case 'parallel':
      return [
        { label: word.start, cells: masks(4) },
        {
          label: forward(1),
          cells: [
            ['Ein', 'new'],
            ['Mann', 'new'],
            ['Mann', 'wrong'],
            ['Rad', 'new'],
          ],
        },
      ];
    case 'ctc':
      return [
        {
          label: forward(1),
          cells: [
            ['Ein', 'new'],
            ['–', 'left'],
            ['Mann', 'new'],
            ['Mann', 'left'],
            ['fährt', 'new'],
            ['Rad', 'new'],
          ],
        },
        { label: word.collapse, cells: cells('decided', ...words) },
      ];
    case 'dag':
      return [
        {
          label: forward(1),
          cells: [
            ['Ein', 'new'],
            ['Herr', 'left'],
            ['Mann', 'new'],
            ['radelt', 'left'],
            ['fährt', 'new'],
            ['Rad', 'new'],
          ],
          arcs: [
            [0, 2],
            [2, 4],
            [4, 5],
          ],
        },
        { label: word.path, cells: cells('decided', ...words) },
      ];
    case 'refinement':
      return [
        {
          label: forward(1),
          cells: [
            ['Ein', 'new'],
            ['Mann', 'new'],
            ['Mann', 'wrong'],
            ['Rad', 'new'],
          ],
        },
        {
          label: word.mask,
          cells: [
            ['Ein', 'decided'],
            ['Mann', 'decided'],
            ['?', 'masked'],
            ['Rad', 'decided'],
          ],
        },
        {
          label: forward(2),
          cells: [
            ['Ein', 'decided'],
            ['Mann', 'decided'],
            ['fährt', 'new'],
            ['Rad', 'decided'],
          ],
        },
      ];
    case 'edits':
      return [
        { label: word.start, cells: cells('decided', 'Ein', 'Mann', 'Mann', 'Rad') },
        {
          label: forward(1),
          cells: [
            ['Ein', 'decided'],
            ['Mann', 'decided'],
            ['Mann', 'wrong'],
            ['Rad', 'decided'],
          ],
        },
        {
          label: forward(2),
          cells: [
            ['Ein', 'decided'],
            ['Mann', 'decided'],
            ['fährt', 'new'],
            ['Rad', 'decided'],
          ],
        },
      ];
    case 'speculative':
      return [
        { label: word.draft, cells: [['Ein', 'decided'], ...cells('masked', 'Mann', 'fährt', 'ein')] },
        {
          label: forward(1),
          cells: [
            ['Ein', 'decided'],
            ['Mann', 'new'],
            ['fährt', 'new'],
            ['ein', 'wrong'],
          ],
        },
        {
          label: word.output,
          cells: [
            ['Ein', 'decided'],
            ['Mann', 'decided'],
            ['fährt', 'decided'],
            ['Rad', 'new'],
          ],
        },
      ];
    default:
      throw new Error(`There is no picture of ${family}.`);
  }
}

export function pictureOf(family: string, language: 'en' | 'zh'): Picture {
  return { alt: ALT[language][family], rows: rowsOf(family, WORDS[language]) };
}
