"""A byte-level BPE of few tokens: letters stay visible inside rare and misspelt words, and every string can be copied."""
from __future__ import annotations

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from ..data import END, START_TOKEN


def train_byte_tokenizer(lines: list[str], vocabulary_size: int) -> Tokenizer:
    """`vocabulary_size` counts everything: 256 bytes, padding, unknown, end, and the decoder's start token, which is last.

    Digits stay apart, so numbers are copied digit by digit. Nothing is normalised, so text comes back as it was.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary_size - 1, special_tokens=["<pad>", "<unk>", "</s>"], show_progress=False,
                                  min_frequency=2, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", END)])
    content = json.loads(tokenizer.to_str())
    # No added tokens: they would be found in text that spells them, such as "</s>" in markup. No merge leads to them.
    content["added_tokens"] = []
    vocabulary = content["model"]["vocab"]
    vocabulary[START_TOKEN] = len(vocabulary)
    return Tokenizer.from_str(json.dumps(content))
