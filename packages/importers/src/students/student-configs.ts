import { refuseConfig } from '../readers/hugging-face/config-fields.js';
import type { WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import { type CanvasConfig, type EditConfig, readCanvasStudent, readEditStudent } from './canvas-config.js';
import type { CtcShape } from './ctc-graph.js';
import type { EncoderShape } from './encoder-shape.js';
import { type DagConfig, readCtcShape, readDagConfig } from './frame-config.js';

/** Weights folders of the students of one encoder. */
export interface StudentFolders {
  readonly ctc?: WeightsFolder | undefined;
  /** The CTC student of the fast graph, where it is not `ctc`. */
  readonly ctcFast?: WeightsFolder | undefined;
  readonly canvas?: WeightsFolder | undefined;
  readonly dag?: WeightsFolder | undefined;
  readonly edit?: WeightsFolder | undefined;
}

/** A student's folder with what its config says. */
export interface ReadStudent<Config> {
  readonly folder: WeightsFolder;
  readonly config: Config;
}

/** The students of one encoder, their weights not yet looked at. */
export interface StudentConfigs {
  readonly ctc: ReadStudent<CtcShape> | undefined;
  readonly ctcFast: ReadStudent<CtcShape> | undefined;
  readonly canvas: ReadStudent<CanvasConfig> | undefined;
  readonly dag: ReadStudent<DagConfig> | undefined;
  readonly edit: ReadStudent<EditConfig> | undefined;
}

/** Reads the configs of every student there is, and checks them against the encoder and one another. Throws `INVALID_MODEL_FOLDER`. */
export function readStudentConfigs(folders: StudentFolders, encoder: EncoderShape): StudentConfigs {
  const read = <Config>(
    folder: WeightsFolder | undefined,
    reader: (folder: WeightsFolder, encoder: EncoderShape) => Config,
  ): ReadStudent<Config> | undefined => folder && { folder, config: reader(folder, encoder) };
  const configs: StudentConfigs = {
    ctc: read(folders.ctc, readCtcShape),
    ctcFast: read(folders.ctcFast, readCtcShape),
    canvas: read(folders.canvas, readCanvasStudent),
    dag: read(folders.dag, readDagConfig),
    edit: read(folders.edit, readEditStudent),
  };
  const { ctc, ctcFast } = configs;
  if (ctc !== undefined && ctc.config.encoderLayers !== encoder.encoderLayers) {
    refuseConfig(ctc.folder, 'encoder_layers', 'ctc, unlike ctcFast,', encoder.encoderLayers);
  }
  // The manifest states the upsampling once.
  if (ctc !== undefined && ctcFast !== undefined && ctcFast.config.upsample !== ctc.config.upsample) {
    refuseConfig(ctcFast.folder, 'upsample', 'ctcFast, like ctc,', ctc.config.upsample);
  }
  for (const student of [configs.canvas, configs.edit]) {
    if (student?.config.readsHints !== true || ctc !== undefined) continue;
    const required = 'the CTC student that makes hints: give its weights folder, too';
    refuseConfig(student.folder, 'reads_hints', 'a student that reads hints', required);
  }
  return configs;
}
