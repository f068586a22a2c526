"""Multi30k as token ids: reading, the joint tokenizer, batches of bounded padded size."""
from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor

PAD, UNKNOWN, END = 0, 1, 2
START_TOKEN = "<start>"


def read_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def train_tokenizer(lines: list[str], vocabulary_size: int) -> Tokenizer:
    """Joint BPE over both languages; the decoder's start token is appended last, with id `vocabulary_size`."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("  ", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size, special_tokens=["<pad>", "<unk>", "</s>"], show_progress=False, min_frequency=2
    )
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", END)]
    )
    tokenizer.add_special_tokens([AddedToken(START_TOKEN, special=True, normalized=False)])
    return tokenizer


def encode(tokenizer: Tokenizer, lines: list[str], longest: int) -> list[list[int]]:
    """Token ids with the end token, cut to `longest` (the end token is kept)."""
    encoded = [e.ids for e in tokenizer.encode_batch(lines)]
    return [ids if len(ids) <= longest else ids[: longest - 1] + [END] for ids in encoded]


def batches(
    lengths: list[tuple[int, int]], budget: int, order: random.Random
) -> Iterator[list[int]]:
    """Index batches of similar length whose padded source and target sides each hold at most `budget` tokens."""
    indices = list(range(len(lengths)))
    order.shuffle(indices)
    indices.sort(key=lambda i: (lengths[i][1] // 2, lengths[i][0] // 2))
    groups: list[list[int]] = []
    group: list[int] = []
    widest = 0
    for i in indices:
        wider = max(widest, *lengths[i])
        if group and wider * (len(group) + 1) > budget:
            groups.append(group)
            group, wider = [], max(lengths[i])
        group.append(i)
        widest = wider
    groups.append(group)
    order.shuffle(groups)
    yield from groups


def pad(rows: list[list[int]], value: int = PAD) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])
