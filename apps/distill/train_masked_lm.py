"""Trains a masked language model, the network of masked diffusion, on a text file (here tinyshakespeare).

    python train_masked_lm.py --text tinyshakespeare/input.txt --out runs/masked-lm

No source and no encoder: a canvas student without cross-attention, which learns to fill windows of the text whose tokens
are masked at a rate drawn anew for each (Sahoo et al., 2024, "MDLM"). The first 90 % of the text train, the next 5 % validate;
the score is the variational bound of the paper's section 3.2 in nats a character.
"""
from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from distill.losses import SmoothedCrossEntropy
from distill.model import DropoutPool, MarianShape
from distill.student_folders import save_canvas_folder
from distill.student_run import run, run_arguments
from distill.students import CanvasStudent

MASK = 0


def byte_tokenizer(text: str, size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(text.splitlines(keepends=True), trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<mask>", "<unk>", "</s>"], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    return tokenizer


class TextWindows:
    """Overlapping windows of token ids; `states` says how long each is."""

    def __init__(self, ids: list[int], width: int, stride: int) -> None:
        self.windows = torch.tensor([ids[at : at + width] for at in range(0, len(ids) - width, stride)])
        self.states = [range(width)] * len(self.windows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--vocabulary-size", type=int, default=1024)
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--feed-forward", type=int, default=512)
    run_arguments(parser, epochs=40, dropout=0.1, validate_every=4)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    text = options.text.read_text(encoding="utf-8")
    train, val = text[: len(text) * 90 // 100], text[len(text) * 90 // 100 : len(text) * 95 // 100]
    tokenizer = byte_tokenizer(train, options.vocabulary_size)
    size = tokenizer.get_vocab_size()
    data = TextWindows(tokenizer.encode(train).ids, options.window, options.window // 2)
    held = TextWindows(tokenizer.encode(val).ids, options.window, options.window)
    characters = len(val) / (len(tokenizer.encode(val).ids))
    shape = MarianShape(size)
    student = CanvasStudent(shape, torch.arange(3, size), MASK, options.layers, options.feed_forward, cross=False)

    def masked(windows: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
        rank = torch.rand(windows.shape).argsort(dim=1).argsort(dim=1)
        hole = rank < (rate * options.window).floor().clamp(min=1)[:, None]
        return windows.masked_fill(hole, MASK), hole

    def loss_of(group: list[int], drop: DropoutPool, progress: float, _: random.Random) -> Tensor:
        windows = data.windows[group]
        # Evenly spread rates: less noise than independent ones.
        rate = (torch.rand(()) + torch.arange(len(group)) / len(group)) % 1
        tokens, hole = masked(windows, rate)
        hidden = student.hidden(tokens, torch.ones_like(hole), None, None, drop)[hole]
        return SmoothedCrossEntropy.apply(hidden, student.head, student.head_bias, windows[hole] - 3, 0.0)

    def scores_of() -> dict[str, float]:
        """Mean over rates of the loss at each, which the bound weighs by 1 / rate; of 16 rates, the text once each."""
        total = 0.0
        state = torch.random.get_rng_state()
        torch.manual_seed(0)
        for part in range(16):
            rate = torch.full((len(held.windows),), (part + 0.5) / 16)
            tokens, hole = masked(held.windows, rate)
            hidden = student.hidden(tokens, torch.ones_like(hole), None, None, DropoutPool(0.0, 0, 1))[hole]
            losses = -(hidden @ student.head.t() + student.head_bias).log_softmax(-1).gather(1, (held.windows[hole] - 3)[:, None])
            total += float(losses.mean()) / 16
        torch.random.set_rng_state(state)
        return {"valBoundNatsACharacter": round(total / characters, 4)}

    def save(folder: Path) -> None:
        save_canvas_folder(folder, student, tokenizer)

    run(options, data, student, list(range(len(data.windows))), lambda i: options.window, loss_of, scores_of, save)


if __name__ == "__main__":
    main()
