"""Options that the recipes of a corrector share: their names, their defaults and what they mean stand here alone."""
from __future__ import annotations

import argparse
from pathlib import Path

SHAPE = ("vocabulary_size", "width", "heads", "feed_forward", "encoder_layers", "decoder_layers")
TRAINING = (*SHAPE, "steps", "copies", "threads")


def text_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--text", type=Path, required=True, help="good lines of one language, one or a few sentences each")
    parser.add_argument("--language", default="none", help="tables of the noise: en, a JSON file, or none (default) for errors that need no tables")
    parser.add_argument("--refuse", type=Path, help="words whose lines are left out: JSON list, or one a line")


def training_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vocabulary-size", type=int, default=2048)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--feed-forward", type=int, default=512)
    parser.add_argument("--encoder-layers", type=int, default=4)
    parser.add_argument("--decoder-layers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--copies", type=float, default=0.36, help="share of sentences with something to copy put into them")
    parser.add_argument("--threads", type=int, default=1)


def pairs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pairs", type=int, default=200_000, help="noisy lines that the students learn from")


def check_shape(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.width % options.heads:
        parser.error(f"--width must be a multiple of --heads, but {options.width} is none of {options.heads}")


def handed_on(options: argparse.Namespace, names: tuple[str, ...]) -> list[object]:
    """The same options for another recipe; what was not given is left out."""
    return [part for name in names if getattr(options, name) is not None for part in (f"--{name.replace('_', '-')}", getattr(options, name))]
