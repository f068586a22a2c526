"""Moonshine tiny in onnxruntime, by a plain loop over its two graphs: its tokens on a sample recording, greedy and with a beam of
four, as a small JSON file beside this script, for `npm run bench -- models`.

    npm run real-models -- moonshine
    pip install onnxruntime numpy
    python moonshine_peer.py --models ../../../../.real-models
"""
from __future__ import annotations

import argparse
import json
import wave
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).parent
ASSETS = "moonshine/moonshine_voice/assets"
START, END, BEAM, MAX = 1, 2, 4, 194
# Where the windows begin and end in the samples of beckett.wav, 16,000 a second.
CASES = [[0, 159_414], [0, 80_000], [80_000, 159_414], [20_000, 120_000], [40_000, 159_414]]


class Model:
    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.encoder = onnxruntime.InferenceSession(str(folder / "encoder_model.ort"), options)
        self.decoder = onnxruntime.InferenceSession(str(folder / "decoder_model_merged.ort"), options)
        self.outputs = [value.name for value in self.decoder.get_outputs()]
        self.empty = {
            value.name: np.zeros((1, value.shape[1], 0, value.shape[3]), np.float32)
            for value in self.decoder.get_inputs() if value.name.startswith("past")
        }

    def encode(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mask = np.ones((1, len(samples)), np.int64)
        return self.encoder.run(None, {"input_values": samples[None], "attention_mask": mask})[0], mask

    def step(self, sound, token: int, past: dict | None) -> tuple[np.ndarray, dict]:
        """Log-probabilities after a token, and the cache that goes on."""
        states, mask = sound
        found = dict(zip(self.outputs, self.decoder.run(None, {
            "input_ids": np.array([[token]], np.int64), "encoder_hidden_states": states, "encoder_attention_mask": mask,
            "use_cache_branch": np.array([past is not None]), **(past or self.empty),
        })))
        kept = {
            name: past[name] if past and ".encoder." in name else found[name.replace("past_key_values", "present")]
            for name in self.empty
        }
        scores = found["logits"][0, -1].astype(np.float64)
        top = scores.max()
        return scores - top - np.log(np.exp(scores - top).sum()), kept

    def greedy(self, sound) -> list[int]:
        tokens: list[int] = []
        token, past = START, None
        while len(tokens) < MAX:
            scores, past = self.step(sound, token, past)
            token = int(scores.argmax())
            if token == END:
                break
            tokens.append(token)
        return tokens

    def beam(self, sound) -> tuple[list[int], float]:
        """The best of four finished hypotheses by log-probability a token, the end token among these; each branch runs alone."""
        running = [([], 0.0, None)]
        finished: list[tuple[float, list[int]]] = []
        for _ in range(MAX):
            candidates = []
            for tokens, total, past in running:
                scores, grown = self.step(sound, tokens[-1] if tokens else START, past)
                for token in np.argsort(-scores, kind="stable")[: 2 * BEAM]:
                    candidates.append((total + scores[token], tokens, int(token), grown))
            candidates.sort(key=lambda one: -one[0])
            running = []
            for rank, (total, tokens, token, past) in enumerate(candidates[: 2 * BEAM]):
                if token == END:
                    if rank < BEAM:
                        finished.append((total / (len(tokens) + 1), tokens))
                elif len(running) < BEAM:
                    running.append(([*tokens, token], total, past))
            if len(finished) >= BEAM:
                break
        score, tokens = max(finished, key=lambda one: one[0])
        return tokens, score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    assets = parser.parse_args().models / ASSETS
    model = Model(assets / "tiny-en")
    with wave.open(str(assets / "beckett.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    rows = []
    for begin, end in CASES:
        sound = model.encode(samples[begin:end])
        beam, score = model.beam(sound)
        rows.append({"begin": begin, "end": end, "greedy": model.greedy(sound), "beam4": beam, "score": round(score, 5)})
    (HERE / "moonshine.json").write_text(json.dumps(rows, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
