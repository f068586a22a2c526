import { ctranslate2 } from './ctranslate2.js';
import { ctranslate2Opus } from './ctranslate2-opus.js';
import { encoderDecoder } from './encoder-decoders.js';
import { fillMask } from './fill-mask.js';
import { firefoxTiny } from './firefox-tiny.js';
import { g2pEn } from './g2p-en.js';
import { hamaAsr } from './hama-asr.js';
import { hamaG2p } from './hama-g2p.js';
import { marianBin } from './marian-bin.js';
import { marianShortlist } from './marian-shortlist.js';
import type { ModelRow } from './model-row.js';
import { moonshineTiny } from './moonshine.js';
import { improvedExport, onnxExport } from './onnx-exports.js';
import { ppOcr } from './pp-ocr.js';
import { arabicRomanizer, persianRomanizer } from './romanizer.js';
import { smolLm2 } from './smollm2.js';
import { teacherExport, teacherExportImproved, teacherExportMerged } from './teacher-export.js';
import { whisperTinyEn } from './whisper.js';

/** Kinds of encoder-decoders whose goldens are in the repository. */
const ENCODER_DECODERS =
  'marian-separate marian-old marian-gelu marian-normed bart mbart mbart50 m2m100 nllb pegasus t5 mt5 mt5-tied t5-gated-silu'.split(
    ' ',
  );

/** Encoder-decoders of CTranslate2 whose goldens are in the repository, and what their weights are stored as. */
const CTRANSLATE2 = [
  ['opus', 'int8_float32'],
  ['nllb', 'float16'],
  ['bart', 'int8_float16'],
  ['onmt', 'bfloat16'],
  ['argos', 'int16'],
  ['tf', 'int8_bfloat16'],
  ['t5', 'float32'],
] as const;

/** Every model that `npm run bench -- models` and its test decode with. */
export const MODEL_ROWS: readonly ModelRow[] = [
  ppOcr,
  hamaAsr,
  g2pEn,
  hamaG2p,
  arabicRomanizer,
  persianRomanizer,
  smolLm2,
  whisperTinyEn,
  moonshineTiny,
  ...['marian', 'bart', 't5', 'llama', 'genai'].map(onnxExport),
  ...['marian', 'bart', 't5', 'llama'].map(improvedExport),
  teacherExport,
  teacherExportMerged,
  teacherExportImproved,
  ...ENCODER_DECODERS.map(encoderDecoder),
  ...['bert', 'bert-old', 'roberta', 'xlm-roberta', 'distilbert'].map(fillMask),
  ...['tied', 'int8', 'firefox', 'separate'].map(marianBin),
  ...['tied', 'separate'].map(marianShortlist),
  firefoxTiny,
  ...CTRANSLATE2.map(([kind, storage]) => ctranslate2(kind, storage)),
  ctranslate2Opus,
];
