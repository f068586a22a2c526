"""Writes what third-party models give by their own implementations, as small JSON files beside this script.

    npm run real-models
    pip install numpy onnxruntime onnx opencv-python-headless pyyaml
    pip install --no-deps hama==1.3.13 arabic-name-romanizer==0.2.0 rapidocr-onnxruntime==1.4.4 (with six shapely pyclipper pillow tqdm)
    python make_goldens.py --models ../../../../.real-models
"""
from __future__ import annotations

import argparse
import base64
import json
import random
import re
import zlib
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
WORDS = HERE.parent / "test_2016_flickr.en"


def write(name: str, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(name, len(text))


def words(count: int) -> list[str]:
    """The longest words of the captions, longest first, in lower case."""
    found = set(re.findall(r"[a-z]+", WORDS.read_text(encoding="utf-8").lower()))
    return sorted(found, key=lambda word: (-len(word), word))[:count]


def pp_ocr(models: Path) -> None:
    """Crops of 48 rows in grey, and what rapidocr reads in each of them alone."""
    recognise = recogniser(models)
    texts = ["Hello world", "Invoice 2026-11", "a|b_c #42", "TOTAL: 1,349.50", "quick brown fox jumps", "x", "0O1lI", "(c) Foretoken"]
    crops = []
    for index, text in enumerate(texts):
        font = [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX][index % 3]
        (width, _), _ = cv2.getTextSize(text, font, 1.0, 2)
        grey = np.full((48, width + 16), 255, np.uint8)
        cv2.putText(grey, text, (8, 34), font, 1.0, int(20 * (index % 4)), 2, cv2.LINE_AA)
        [(read, confidence)], _ = recognise(np.repeat(grey[:, :, None], 3, axis=2))
        crops.append({"width": grey.shape[1], "grey": packed(grey), "text": read, "confidence": confidence})
    write("pp-ocr", crops)


def recogniser(models: Path):
    """The recogniser of rapidocr, one crop at a time."""
    from rapidocr_onnxruntime.ch_ppocr_rec import TextRecognizer

    assets = models / "pp-ocr/package/assets"
    return TextRecognizer({
        "model_path": str(assets / "ch_PP-OCRv4_rec_infer.onnx"), "rec_keys_path": str(assets / "ppocr_keys_v1.txt"),
        "rec_batch_num": 1, "rec_img_shape": [3, 48, 320], "intra_op_num_threads": 1, "inter_op_num_threads": 1,
        "use_cuda": False, "use_dml": False,
    })


def packed(grey: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(grey.tobytes(), 9)).decode()


# Every tenth of the right sentences is read; the others are what a language model may learn from.
LINE_STEP = 10
LINE_LENGTH = 36


def pp_ocr_lines(models: Path) -> None:
    """Blurred crops of lines of English, what is written in them, and what rapidocr reads."""
    recognise = recogniser(models)
    sentences = json.loads((HERE.parent / "correction.json").read_text(encoding="utf-8"))["good"][::LINE_STEP]
    crops = []
    for index, sentence in enumerate(sentences):
        written = sentence if len(sentence) <= LINE_LENGTH else sentence[: sentence.rindex(" ", 0, LINE_LENGTH + 1)]
        font = [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX][index % 3]
        (width, _), _ = cv2.getTextSize(written, font, 1.0, 2)
        sharp = np.full((48, width + 16), 255, np.uint8)
        cv2.putText(sharp, written, (8, 34), font, 1.0, 0, 2, cv2.LINE_AA)
        # A line of few pixels, enlarged; in 16 greys, which take little room.
        rows = [9, 10, 12, 14][index % 4]
        small = cv2.resize(sharp, (sharp.shape[1] * rows // 48, rows), interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (small.shape[1] * 48 // rows, 48), interpolation=cv2.INTER_LINEAR)
        grey = (large // 16) * 17
        [(read, confidence)], _ = recognise(np.repeat(grey[:, :, None], 3, axis=2))
        crops.append({"width": grey.shape[1], "grey": packed(grey), "written": written, "text": read, "confidence": confidence})
    write("pp-ocr-lines", crops)


def listener(models: Path):
    """hama's model of speech without the bias that the package adds to the blank, and a recording with its rate."""
    from hama.asr import ASRDecodeConfig, ASRModel, read_wav_mono

    assets = models / "hama/hama/assets"
    model = ASRModel(assets / "asr_waveform_fp16.onnx", assets / "g2p_vocab.json", ASRDecodeConfig(blank_bias=0.0))
    return model, *read_wav_mono(models / "moonshine/moonshine_voice/assets/beckett.wav")


def hama_asr(models: Path) -> None:
    """Phonemes of parts of a recording."""
    model, waveform, rate = listener(models)
    found = []
    for begin, end in [(0, 2), (2, 4), (1, 4), (4, 7), (0, 5), (0, 9)]:
        result = model(waveform[begin * rate : end * rate], rate)
        found.append({"begin": begin * rate, "end": end * rate, "frames": result.num_frames, "ids": result.token_ids})
    write("hama-asr", found)


def speaker(models: Path):
    """hama's model of words."""
    from hama.inference import G2PModel

    assets = models / "hama/hama/assets"
    return G2PModel(encoder_model_path=assets / "encoder.onnx", decoder_step_model_path=assets / "decoder_step.onnx", vocab_path=assets / "g2p_vocab.json")


def spoken_words() -> list[str]:
    korean = ["안녕하세요", "한국어", "학교", "국물", "같이", "좋아요", "감사합니다", "읽다", "값이", "신라"]
    return [*words(190), *korean]


def hama_g2p(models: Path) -> None:
    """200 words, greedily: their padded ids' length, and what comes out."""
    model = speaker(models)
    found = []
    for word in spoken_words():
        encoded = model.tokenizer.encode(word)
        ids = [int(one) for one in encoded.ids[: encoded.length]]
        result = model._predict_single_split(text=word, base_char_index=0)
        index = model.vocab.decoder_token_to_id
        found.append([ids, [index[alignment.phoneme] for alignment in result.alignments]])
    write("hama-g2p", found)


def romanizer_folder(models: Path, language: str) -> Path:
    resources = models / "arabic-name-romanizer/arabic_name_romanizer/resources"
    return resources / language if language == "persian" else resources


def romanized(models: Path, language: str):
    """What gives the beam list of ids and a width."""
    from arabic_name_romanizer.inference import OnnxBackend, beam_search
    from arabic_name_romanizer.vocab import CharVocab

    folder = romanizer_folder(models, language)
    vocab = CharVocab.load(folder / "vocab.json")
    meta = {"state_names": ["memory", "src_mask", "hidden"], "decoder_state_outputs": ["hidden"]}
    backend = OnnxBackend(folder, meta, 1)
    return lambda ids, width: beam_search(backend, [ids], vocab, width, 32)[0]


def romanizer(models: Path) -> None:
    """Beam lists of the package, with mean log-probabilities, for names and for made-up words."""
    from arabic_name_romanizer.inference import encode_source_ids
    from arabic_name_romanizer.vocab import CharVocab

    draw = random.Random(1)
    letters = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
    names = ["محمد", "أحمد", "فاطمة", "عبد", "الله", "خالد", "حسين", "مريم", "يوسف", "إبراهيم", "نور", "سارة"]
    for language, roles in [("arabic", ["given", "surname", None]), ("persian", [None])]:
        vocab = CharVocab.load(romanizer_folder(models, language) / "vocab.json")
        search = romanized(models, language)
        found = []
        for index in range(60):
            word = names[index] if index < len(names) else "".join(draw.choice(letters) for _ in range(draw.randint(2, 9)))
            country = ["EG", "SA", None, "MA"][index % 4]
            ids = encode_source_ids(vocab, word, country, roles[index % len(roles)])
            beams = {width: search(ids, width) for width in [2, 4]}
            found.append([ids, [[[text, round(score, 6)] for text, score in beams[width]] for width in [2, 4]]])
        write(f"romanizer-{language}", found)


def pronouncer(models: Path):
    """Greedy search of at most 20 phonemes of a word: the arithmetic of the package's GRU in numpy."""
    weights = dict(np.load(models / "g2p-en/g2p_en/checkpoint20.npz"))
    graphemes = ["<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz"]

    def step(side: str, x: np.ndarray, state: np.ndarray) -> np.ndarray:
        size = state.shape[-1]
        from_input = weights[f"{side}_w_ih"] @ x + weights[f"{side}_b_ih"]
        from_state = weights[f"{side}_w_hh"] @ state + weights[f"{side}_b_hh"]
        gates = 1 / (1 + np.exp(-(from_input[: 2 * size] + from_state[: 2 * size])))
        candidate = np.tanh(from_input[2 * size :] + gates[:size] * from_state[2 * size :])
        return (1 - gates[size:]) * candidate + gates[size:] * state

    def pronounce(word: str) -> list[int]:
        state = np.zeros(256, np.float32)
        for symbol in [*word, "</s>"]:
            state = step("enc", weights["enc_emb"][graphemes.index(symbol)], state)
        token, output = 2, []
        for _ in range(20):
            state = step("dec", weights["dec_emb"][token], state)
            token = int(np.argmax(weights["fc_w"] @ state + weights["fc_b"]))
            if token == 3:
                break
            output.append(token)
        return output

    return pronounce


def g2p_en(models: Path) -> None:
    """500 words."""
    pronounce = pronouncer(models)
    write("g2p-en", [[word, pronounce(word)] for word in words(500)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=["pp_ocr", "pp_ocr_lines", "hama_asr", "hama_g2p", "romanizer", "g2p_en"])
    arguments = parser.parse_args()
    for name in arguments.only:
        globals()[name](arguments.models)
