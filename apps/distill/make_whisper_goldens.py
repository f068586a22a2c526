"""Writes a tiny random Whisper model as transformers and CTranslate2 store it, with what the originals compute of it, and log-mel
spectra of the original feature extractor: the goldens of Foretoken's readers and of its family `whisper`. It needs the package
`ctranslate2` (4.8.5) beside those of requirements.txt.

    python make_whisper_goldens.py --out ../../packages/importers/test/goldens/whisper
"""
from __future__ import annotations

import argparse
import base64
import json
import shutil
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from make_causal_goldens import randomise

FRAMES = 48
LANGUAGES = ["en", "de", "fr", "yue"]
TEXT = "The small house stood near the forest. In 1969 two people walked on the moon. Zwoelf Boxkaempfer jagen Viktor. " * 4
NEW_TOKENS = 20


def packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


def build_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator([TEXT], trainer)
    special = ["<|endoftext|>", "<|startoftranscript|>", *[f"<|{code}|>" for code in LANGUAGES], "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    return tokenizer


def sound(seconds: float) -> np.ndarray:
    """A tone that rises, and noise that anybody can make again."""
    count = int(seconds * 16_000)
    state, noise = 12_345, np.zeros(count)
    for at in range(count):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        noise[at] = state / 2**31 - 1
    at = np.arange(count)
    return (0.4 * np.sin(2 * np.pi * (200 * at / 16_000 + 1_500 * (at / 16_000) ** 2)) + 0.05 * noise).astype(np.float32)


def spectra() -> list:
    found = []
    for mels, seconds in [(80, 0.8), (128, 0.3)]:
        samples = sound(seconds)
        extractor = WhisperFeatureExtractor(feature_size=mels, chunk_length=1)
        values = extractor(samples, sampling_rate=16_000, return_tensors="np").input_features[0]
        found.append({"mels": mels, "samples": len(samples), "values": packed(values)})
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    tokenizer = build_tokenizer()
    id_of = tokenizer.token_to_id
    size = tokenizer.get_vocab_size() + 1501
    start, end = id_of("<|startoftranscript|>"), id_of("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=size, d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=8, max_source_positions=FRAMES // 2, max_target_positions=64,
        decoder_start_token_id=start, eos_token_id=end, bos_token_id=end, pad_token_id=end, suppress_tokens=None, begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config).eval()
    randomise(model, 11)
    with torch.no_grad():
        # Weights that fp16 holds exactly, so that all files hold the same model.
        for name, parameter in model.named_parameters():
            # What is heard counts as much as what was said.
            scale = 3.0 if "encoder_attn.v_proj" in name or "encoder_attn.out_proj" in name else 0.5 if "embed_tokens" in name else 1.0
            if name == "model.encoder.layer_norm.bias":
                scale = 0.1
            parameter.copy_((scale * parameter).half().float())
    suppressed, first = [3, 40, 41, start], [220 % tokenizer.get_vocab_size(), end]
    generation = model.generation_config
    generation.suppress_tokens, generation.begin_suppress_tokens = suppressed, first
    generation.is_multilingual, generation.no_timestamps_token_id = True, id_of("<|notimestamps|>")
    generation.lang_to_id = {f"<|{code}|>": id_of(f"<|{code}|>") for code in LANGUAGES}
    generation.task_to_id = {"transcribe": id_of("<|transcribe|>"), "translate": id_of("<|translate|>")}
    folder = out / "transformers"
    model.save_pretrained(folder, safe_serialization=True)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>", bos_token="<|endoftext|>").save_pretrained(folder)
    for name in ["tokenizer_config.json", "special_tokens_map.json"]:
        (folder / name).unlink(missing_ok=True)
    generator = np.random.default_rng(7)
    rows = []
    converted = {"float16": out / "ctranslate2", "int8": out / "ctranslate2-int8", "int16": out / "ctranslate2-int16"}
    specification = spec_of(folder, tokenizer, suppressed, first)
    for quantisation, target in converted.items():
        target.mkdir()
        specification(quantisation, target)
        shutil.copy(folder / "tokenizer.json", target)
    peer = ctranslate2.models.Whisper(str(converted["float16"]), compute_type="float32")
    for target in converted.values():
        # Nothing here reads it.
        (target / "vocabulary.json").unlink()
    for task, code in [("transcribe", "en"), ("translate", "de"), ("transcribe", "yue"), ("transcribe", None)] * 2:
        # Each row has a sound of its own, which changes in time.
        features = (2 * generator.normal(size=(1, 8, 1)) + generator.normal(size=(1, 8, FRAMES))).astype(np.float32)
        view = ctranslate2.StorageView.from_array(features)
        with torch.no_grad():
            encoded = model.model.encoder(torch.from_numpy(features))
            first_logits = model(encoder_outputs=encoded, decoder_input_ids=torch.tensor([[start]])).logits[0, -1]
        heard = max(LANGUAGES, key=lambda one: float(first_logits[id_of(f"<|{one}|>")]))
        prompt = [start, id_of(f"<|{code or heard}|>"), id_of(f"<|{task}|>"), id_of("<|notimestamps|>")]
        greedy, logits = list(prompt), None
        for step in range(NEW_TOKENS):
            with torch.no_grad():
                logits = model(encoder_outputs=encoded, decoder_input_ids=torch.tensor([greedy])).logits[0]
            scores = logits[-1].clone()
            scores[suppressed + (first if step == 0 else [])] = -torch.inf
            greedy.append(int(scores.argmax()))
            if greedy[-1] == end:
                break
        path = greedy[:-1]
        # There half of the length is for the output.
        options = {"max_length": 2 * NEW_TOKENS, "suppress_tokens": suppressed}
        rows.append({
            "features": packed(features), "language": code, "heard": heard, "task": task, "path": path, "greedy": greedy[len(prompt):],
            # The last positions' logits, of every 29th token.
            "logits": packed(logits[len(prompt) - 1 :, ::29].numpy()),
            "peerGreedy": peer.generate(view, [prompt], beam_size=1, **options)[0].sequences_ids[0],
        })
    expected = {"frames": FRAMES, "newTokens": NEW_TOKENS, "suppressed": suppressed, "first": first, "rows": rows, "spectra": spectra()}
    (out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n", encoding="utf-8")
    for path in sorted(out.rglob("*")):
        if path.is_file():
            print(path.relative_to(out), path.stat().st_size)


def spec_of(folder: Path, tokenizer: Tokenizer, suppressed: list, first: list):
    """Writes the model by CTranslate2's own loader of Whisper."""
    from ctranslate2.converters.transformers import WhisperLoader

    loader = WhisperLoader()

    def write(quantisation: str, target: Path) -> None:
        # It is altered where it lies, so each has a model of its own.
        spec = loader.get_model_spec(WhisperForConditionalGeneration.from_pretrained(folder))
        names = [text for text, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
        spec.register_vocabulary(names + [f"<|{at * 0.02:.2f}|>" for at in range(1501)])
        spec.config.suppress_ids, spec.config.suppress_ids_begin = suppressed, first
        spec.config.alignment_heads, spec.config.lang_ids = [], [tokenizer.token_to_id(f"<|{code}|>") for code in LANGUAGES]
        spec.validate()
        spec.optimize(quantization=quantisation)
        spec.save(str(target))

    return write


if __name__ == "__main__":
    main()
