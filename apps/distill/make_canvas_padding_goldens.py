"""Writes what transformers computes where padding tokens stand inside the texts of the tiny masked language models that
make_fill_mask_goldens.py wrote: texts of several lengths in one batch, padded behind and masked there.

    python make_canvas_padding_goldens.py --folders ../../packages/models/test/goldens/fill-mask
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import transformers

KINDS = ("bert", "distilbert", "roberta", "xlm-roberta")
# Tokens that every kind has; None is padding.
TEXTS = ([7, 9, 8, 6, 11], [7, None, 9, None, None, 8, 6], [None, 5, 7], [6, None], [None])
# Scores of so many tokens are enough to tell networks apart.
SCORED = 12


@torch.no_grad()
def scores(model: transformers.PreTrainedModel, texts: list[list[int]], pad: int) -> list[torch.Tensor]:
    """Scores at each place of each text, all in one batch."""
    longest = max(len(text) for text in texts)
    ids = torch.tensor([text + [pad] * (longest - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
    logits = model(input_ids=ids, attention_mask=mask).logits
    return [row[: len(text), :SCORED] for row, text in zip(logits, texts)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folders", type=Path, required=True)
    folders = parser.parse_args().folders
    torch.set_num_threads(1)
    goldens = {}
    for kind in KINDS:
        model = transformers.AutoModelForMaskedLM.from_pretrained(folders / kind, dtype=torch.float32, attn_implementation="eager").eval()
        pad = model.config.pad_token_id
        texts = [[pad if token is None else token for token in text] for text in TEXTS]
        together = scores(model, texts, pad)
        for text, rows in zip(texts, together):
            assert torch.allclose(scores(model, [text], pad)[0], rows, atol=1e-5)
        goldens[kind] = [
            {"tokenIds": text, "logits": [[round(value, 5) for value in place] for place in rows.tolist()]} for text, rows in zip(texts, together)
        ]
    (folders.parent / "canvas-padding.json").write_text(json.dumps(goldens) + "\n")


if __name__ == "__main__":
    main()
