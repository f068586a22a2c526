import { invalidFolder } from '@foretoken/models/internal';
import { findShortlist, MULTIPLE, readLexicalShortlist } from '../../readers/marian-bin/lexical-shortlist.js';
import { MARIAN_BIN } from '../../readers/marian-bin/marian-bin-folder.js';
import { tensorReader } from '../../tensors/tensor-reader.js';
import type { Architecture } from '../architecture.js';
import { encoderDecoderContent } from '../encoder-decoder/encoder-decoder-content.js';
import { marianBinNetwork, POSITIONS } from './marian-bin-network.js';
import { readMarianBinShape } from './marian-bin-shape.js';

/** Students of Marian with recurrent decoders (Kim et al., 2019), as Firefox translates with. */
export const marianBin: Architecture = {
  name: 'marian-bin',
  kinds: [MARIAN_BIN],
  shortlists: true,
  build: async (folder, options, pace) => {
    const shape = readMarianBinShape(folder);
    const { sources, outputs, sharedTable, oneVocabulary } = shape;
    const { names } = folder.tokenizer;
    const { end, unknown } = folder.tokenizer.namedTokens(outputs);
    if (end === undefined || unknown === undefined) {
      const field = end === undefined ? '</s>' : '<unk>';
      const file = typeof names === 'object' && 'target' in names ? names.target : 'vocab.spm';
      throw invalidFolder(`${file} in ${folder.path} has no ${field}. Fetch the vocabulary of this model.`, {
        folder: folder.path,
        file,
        field,
        required: 'the tokens </s> and <unk>',
      });
    }
    const file = await findShortlist(folder.path, options.shortlist);
    const place = file === undefined ? undefined : { folder: folder.path, file };
    const tables = place && (await readLexicalShortlist(place, { sources, outputs, end, oneVocabulary }, pace));
    const start = outputs;
    // Marian never says the unknown token, and the start token is no token there.
    const generationConfig = {
      eos_token_id: end,
      decoder_start_token_id: start,
      pad_token_id: start,
      bad_words_ids: [[unknown], [start]],
    };
    return encoderDecoderContent({ ...folder, generationConfig }, options, pace, {
      vocabularySize: outputs + 1,
      sourceVocabularySize: sharedTable ? undefined : oneVocabulary ? outputs + 1 : sources,
      limits: { sourceLength: POSITIONS, targetLength: POSITIONS },
      shortlist: tables && { tables, multipleOf: MULTIPLE },
      network: (suppressed, precision) => marianBinNetwork(shape, tensorReader(folder), suppressed, precision),
    });
  },
};
