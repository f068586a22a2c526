"""Exports a tiny wav2vec2 with random weights as Optimum does, and what transformers hears with it.

Writes packages/importers/test/goldens/wav2vec2: the graph, the files beside it, and expected.json with the tokens and texts of three
sounds, and the most probable outputs of the shortest by the sum over all of its alignments.

    pip install optimum-onnx transformers==4.57.6 onnx onnxruntime
    python apps/distill/make_ctc_export_fixtures.py
"""

import itertools
import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from transformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

TARGET = Path(__file__).parents[2] / "packages/importers/test/goldens/wav2vec2"
LABELS = {"|": 0, "A": 1, "B": 2, "C": 3, "D": 4, "[UNK]": 5, "[PAD]": 6}
LENGTHS = [500, 333, 64]
KEPT = 4


def sound(length: int, row: int) -> np.ndarray:
    """Samples that the test computes too: not of mean 0, and far from the variance 1."""
    at = np.arange(length)
    return (0.2 + 0.05 * np.sin(0.7 * (row + 1) * at) + 0.05 * np.sin(0.011 * at * at)).astype(np.float32)


def most_probable(log_probs: np.ndarray, blank: int) -> list[dict]:
    totals: dict[tuple[int, ...], float] = defaultdict(lambda: -math.inf)
    for path in itertools.product(range(log_probs.shape[1]), repeat=log_probs.shape[0]):
        tokens = tuple(token for token, _ in itertools.groupby(path) if token != blank)
        score = float(sum(log_probs[frame, token] for frame, token in enumerate(path)))
        totals[tokens] = float(np.logaddexp(totals[tokens], score))
    best = sorted(totals.items(), key=lambda item: -item[1])[:KEPT]
    return [{"tokenIds": list(tokens), "logProb": score} for tokens, score in best]


def main() -> None:
    torch.manual_seed(15)
    blank = LABELS["[PAD]"]
    config = Wav2Vec2Config(
        hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=12, vocab_size=len(LABELS) + 2,
        conv_dim=(6, 6), conv_stride=(5, 2), conv_kernel=(10, 3), num_feat_extract_layers=2, conv_bias=True,
        num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, feat_extract_norm="layer",
        do_stable_layer_norm=True, pad_token_id=blank,
    )  # fmt: skip
    model = Wav2Vec2ForCTC(config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(120)
        # What a first layer adds keeps its normalisation from undoing how loud the sound is.
        model.wav2vec2.feature_extractor.conv_layers[0].conv.bias.normal_()
        # Silence is the blank, as in models that have learned.
        quiet = model.wav2vec2(torch.zeros(1, 500)).last_hidden_state[0].mean(0)
        model.lm_head.bias.copy_(-model.lm_head.weight @ quiet)
        model.lm_head.bias[blank] += 1
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder) / "vocab.json"
        vocabulary.write_text(json.dumps(LABELS))
        # <s> and </s> are added behind the vocabulary, as in the fine-tuning guide of transformers.
        tokenizer = Wav2Vec2CTCTokenizer(str(vocabulary), unk_token="[UNK]", pad_token="[PAD]", word_delimiter_token="|", do_lower_case=True)
        features = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True, sampling_rate=16_000)
        for part in (model, tokenizer, features):
            part.save_pretrained(folder)
        exported = Path(folder) / "exported"
        subprocess.run(
            [Path(sys.executable).parent / "optimum-cli", "export", "onnx", "--model", folder, "--task", "automatic-speech-recognition", exported],
            check=True,
        )  # fmt: skip
        shutil.rmtree(TARGET, ignore_errors=True)
        TARGET.mkdir(parents=True)
        for name in ("model.onnx", "preprocessor_config.json"):
            shutil.copy(exported / name, TARGET)
        for name in ("vocab.json", "added_tokens.json", "tokenizer_config.json"):
            shutil.copy(Path(folder) / name, TARGET)
    sounds = [sound(length, row) for row, length in enumerate(LENGTHS)]
    inputs = features(sounds, sampling_rate=16_000, return_tensors="pt", padding=True)
    with torch.no_grad():
        batch = model(**inputs).logits
        rows = []
        for row, samples in enumerate(sounds):
            alone = features(samples, sampling_rate=16_000, return_tensors="pt", padding=True)
            logits = model(**alone).logits[0]
            assert (batch[row, : len(logits)] - logits).abs().max() < 1e-3
            path = logits.argmax(-1).tolist()
            rows.append(
                {
                    "length": len(samples),
                    "frames": len(path),
                    "tokenIds": [token for token, _ in itertools.groupby(path) if token != blank],
                    "text": tokenizer.decode(path),
                    "logProbs": torch.log_softmax(logits[0], -1).tolist(),
                }
            )
        shortest = torch.log_softmax(logits.double(), -1).numpy()
    expected = {"rows": rows, "best": most_probable(shortest, blank)}
    (TARGET / "expected.json").write_text(json.dumps(expected) + "\n")


main()
