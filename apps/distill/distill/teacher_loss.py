"""The loss of an autoregressive teacher on one batch, each target token predicted from those before it."""
from __future__ import annotations

import torch
from torch import Tensor

from .data import PAD, pad
from .losses import SmoothedCrossEntropy
from .model import DropoutPool, Marian


def teacher_loss(model: Marian, source: list[list[int]], target: list[list[int]], smoothing: float, drop: DropoutPool,
                 freeze_encoder: bool = False) -> Tensor:
    """Mean label-smoothed cross-entropy in nats a token; rows end with the end token, the start token is added here."""
    start_token = model.shape.vocabulary_size - 1
    batch_source, batch_target = pad(source), pad(target)
    mask = (batch_source != PAD)[:, None, None, :]
    shifted = torch.cat([torch.full((len(source), 1), start_token), batch_target[:, :-1]], dim=1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with torch.set_grad_enabled(not freeze_encoder):
            memory = model.encode(batch_source, mask, drop)
        hidden = model.decode(shifted, memory, mask, drop)
        keep = batch_target != PAD
        return SmoothedCrossEntropy.apply(hidden[keep], model.shared.weight, model.final_logits_bias, batch_target[keep],
                                          smoothing)
