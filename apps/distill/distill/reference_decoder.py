"""Decoding with CTranslate2, the fastest peer on this hardware: validation while training, and distillation."""
from __future__ import annotations

import tempfile
from pathlib import Path

import ctranslate2
import sacrebleu
from ctranslate2.converters.transformers import BartLoader
from tokenizers import Tokenizer
from transformers import MarianMTModel

from .checkpoint import save_marian_folder
from .data import END, START_TOKEN
from .model import Marian


def vocabulary(tokenizer: Tokenizer) -> list[str]:
    return [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]


def load_translator(model: Marian, tokenizer: Tokenizer, threads: int = 2) -> ctranslate2.Translator:
    """Converts through Hugging Face's class, telling the converter about the learned start token."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_marian_folder(folder / "hf", model, tokenizer)
        marian = MarianMTModel.from_pretrained(folder / "hf")
        marian.config.normalize_before = False
        marian.config.normalize_embedding = False
        spec = BartLoader().get_model_spec(marian)
        tokens = vocabulary(tokenizer)
        spec.register_source_vocabulary(tokens)
        spec.register_target_vocabulary(tokens)
        spec.config.add_source_eos = False
        spec.config.decoder_start_token = START_TOKEN
        spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "</s>", "</s>", "<unk>"
        spec.validate()
        spec.optimize(quantization=None)
        (folder / "ct2").mkdir()
        spec.save(str(folder / "ct2"))
        return ctranslate2.Translator(str(folder / "ct2"), device="cpu", inter_threads=threads, intra_threads=1,
                                      compute_type="float32")


def n_best(translator: ctranslate2.Translator, tokenizer: Tokenizer, source: list[list[int]], beam_size: int,
           hypotheses: int | None = None, longest: int = 100) -> list[list[list[int]]]:
    """Hypotheses of each source, best first, as token ids without the end token; `hypotheses` defaults to the beam."""
    return scored_n_best(translator, tokenizer, source, beam_size, hypotheses, longest)[0]


def scored_n_best(translator: ctranslate2.Translator, tokenizer: Tokenizer, source: list[list[int]], beam_size: int,
                  hypotheses: int | None = None, longest: int = 100) -> tuple[list[list[list[int]]], list[list[float]]]:
    """As `n_best`, with the sum of natural-log probabilities of each hypothesis, the end token's included."""
    tokens = [[tokenizer.id_to_token(i) for i in row] for row in source]
    results = translator.translate_batch(tokens, beam_size=beam_size, num_hypotheses=hypotheses or beam_size,
                                         max_batch_size=64, max_decoding_length=longest, length_penalty=1.0, return_scores=True)
    rows = [[[i for t in h if (i := tokenizer.token_to_id(t)) != END] for h in r.hypotheses] for r in results]
    # CTranslate2 divides by the length, its end token included.
    sums = [[score * (len(h) + 1) for score, h in zip(r.scores, hs)] for r, hs in zip(results, rows)]
    return rows, sums


def translate(translator: ctranslate2.Translator, tokenizer: Tokenizer, source: list[list[int]], beam_size: int,
              longest: int = 100) -> list[list[int]]:
    """Best hypothesis of each source as token ids, without the end token, of at most `longest`."""
    return [rows[0] for rows in n_best(translator, tokenizer, source, beam_size, 1, longest)]


def closest(tokenizer: Tokenizer, candidates: list[list[list[int]]], references: list[str]) -> list[list[int]]:
    """Of each row's candidates, the one with the highest sentence BLEU; the more probable one among equals."""
    metric = sacrebleu.BLEU(effective_order=True)
    chosen = []
    for rows, reference in zip(candidates, references, strict=True):
        scores = [metric.sentence_score(text, [reference]).score for text in tokenizer.decode_batch(rows)]
        chosen.append(rows[scores.index(max(scores))])
    return chosen


def bleu(tokenizer: Tokenizer, hypotheses: list[list[int]], references: list[str]) -> float:
    return sacrebleu.corpus_bleu(tokenizer.decode_batch(hypotheses), [references]).score
