"""Writes what transformers computes where padding tokens stand inside sources and outputs, of the tiny encoder-decoders that
make_encoder_decoder_goldens.py wrote: outputs step by step, with a cache, as its greedy search reads them.

    python make_padding_goldens.py --folders ../../packages/models/test/goldens/encoder-decoder
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import transformers

KINDS = ("m2m100", "nllb", "bart", "mbart50", "pegasus", "marian-gelu", "t5")
# Tokens that every kind has; None is padding.
SOURCES = ([7, 9, 8, 6], [7, None, 9, None, None, 8, 6], [None, 5, 7], [6, None])
OUTPUT = [9, None, 7, 8, None, None, 6, 9]


@torch.no_grad()
def stepwise(model: transformers.PreTrainedModel, source: list[int], fed: list[int]) -> list[float]:
    """Logits after the last of the tokens, which are fed one by one."""
    states = model.get_encoder()(input_ids=torch.tensor([source]), attention_mask=torch.ones(1, len(source), dtype=torch.long))
    cache = None
    for token in fed:
        given = model(
            encoder_outputs=states, attention_mask=torch.ones(1, len(source), dtype=torch.long),
            decoder_input_ids=torch.tensor([[token]]), past_key_values=cache, use_cache=True,
        )
        cache = given.past_key_values
    return given.logits[0, -1].tolist()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folders", type=Path, required=True)
    folders = parser.parse_args().folders
    torch.set_num_threads(1)
    goldens = {}
    for kind in KINDS:
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folders / kind, dtype=torch.float32, attn_implementation="eager").eval()
        pad, start = model.config.pad_token_id, model.config.decoder_start_token_id
        filled = [[pad if token is None else token for token in tokens] for tokens in (*SOURCES, OUTPUT)]
        fed = [start, *filled.pop()]
        goldens[kind] = [
            {"source": source, "fed": fed, "logits": [round(value, 5) for value in stepwise(model, source, fed)]} for source in filled
        ]
    (folders.parent / "padding.json").write_text(json.dumps(goldens) + "\n")


if __name__ == "__main__":
    main()
