"""A trained corrector's folder as a function from texts to texts."""
from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from ..checkpoint import load_marian_folder
from ..model import Marian
from ..reference_decoder import load_translator, translate
from .validation import Correct


def corrector(model: Marian, tokenizer: Tokenizer, beam_size: int = 1, threads: int = 1) -> Correct:
    translator = load_translator(model, tokenizer, threads)

    def correct(texts: list[str]) -> list[str]:
        rows = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        return tokenizer.decode_batch(translate(translator, tokenizer, rows, beam_size, 250))

    return correct


def folder_corrector(folder: Path, beam_size: int = 1) -> Correct:
    return corrector(load_marian_folder(folder).eval(), Tokenizer.from_file(str(folder / "tokenizer.json")), beam_size)
