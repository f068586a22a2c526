/** What is done about a folder that was imported without a tokenizer. */
export const IMPORT_WITH_TOKENIZER: string =
  'What is put into the folder is not read. To read text, put the tokenizer of the original model (tokenizer.json, or source.spm, target.spm and vocab.json) beside its weights, and import them again: foretoken import WEIGHTS --out FOLDER --replace.';
