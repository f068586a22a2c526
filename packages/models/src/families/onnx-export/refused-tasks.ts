import { unsupportedModel } from '../../folder/refusal.js';
import { type ConfigFiles, originOf } from '../../hugging-face/config-files.js';

/** Tasks of models that read a text as a whole, by the ends of their architectures' names. */
const FILLS = /ForMaskedLM$/;
const OTHERS =
  /For(?:PreTraining|SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice|NextSentencePrediction)$/;

/**
 * Refuses a lone graph of a model that outputs no text token by token, by what its config says it is. Throws `UNSUPPORTED_MODEL`.
 */
export function refuseOtherTasks(configs: ConfigFiles, graph: string): void {
  const { architectures } = configs.config;
  const [name]: readonly unknown[] = Array.isArray(architectures) ? architectures : [];
  if (typeof name !== 'string' || !(FILLS.test(name) || OTHERS.test(name))) return;
  const { file, field } = originOf(configs, 'architectures');
  const remedy = FILLS.test(name)
    ? 'Import the weights that it was exported from, as model.safetensors: foretoken import <folder> --out my-model.'
    : 'There is nothing to decode: run it with ONNX Runtime.';
  throw unsupportedModel(
    `${graph} in ${configs.path} is of ${name}, as ${file} says, which reads a text as a whole; of exports those are run that output token by token. ${remedy}`,
    { folder: configs.path, file, field, received: name, required: 'a model that outputs token by token' },
  );
}
