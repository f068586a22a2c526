"""Vocabulary losses that never keep a graph over `[tokens, vocabulary]`: loss and gradient in one chunked pass."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


class SmoothedCrossEntropy(torch.autograd.Function):
    """Mean label-smoothed cross-entropy in nats of `hidden [tokens, width]` against `labels [tokens]`."""

    @staticmethod
    def forward(context, hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, smoothing: float) -> Tensor:
        count, vocabulary = hidden.shape[0], weight.shape[0]
        grad_hidden = torch.empty_like(hidden)
        trains_weight = weight.requires_grad
        grad_weight = torch.zeros_like(weight) if trains_weight else None
        grad_bias = torch.zeros_like(bias)
        total = hidden.new_zeros(())
        low = smoothing / vocabulary
        for start in range(0, count, 200):
            rows = hidden[start : start + 200]
            label = labels[start : start + 200, None]
            logits = torch.addmm(bias, rows, weight.t())
            normaliser = logits.logsumexp(dim=1, keepdim=True)
            chosen = logits.gather(1, label)
            total += (normaliser - (1 - smoothing) * chosen - low * logits.sum(dim=1, keepdim=True)).sum()
            gradient = logits.sub_(normaliser).exp_().sub_(low)
            gradient.scatter_add_(1, label, gradient.new_full(label.shape, smoothing - 1))
            gradient.mul_(1.0 / count)
            torch.mm(gradient, weight, out=grad_hidden[start : start + 200])
            if grad_weight is not None:
                grad_weight.addmm_(gradient.t(), rows)
            grad_bias += gradient.sum(dim=0)
        context.save_for_backward(grad_hidden, grad_bias, *([] if grad_weight is None else [grad_weight]))
        return total / count

    @staticmethod
    def backward(context, upstream: Tensor):
        grad_hidden, grad_bias, *grad_weight = context.saved_tensors
        weight = upstream * grad_weight[0] if grad_weight else None
        return upstream * grad_hidden, weight, upstream * grad_bias, None, None


class CtcLoss(torch.autograd.Function):
    """Mean CTC loss in nats a sentence; only label and blank scores enter the forward-backward recursion.

    `hidden [batch, frames, width]`; `labels [batch, longest]` are indices into the head, padded with -1; the blank
    is the head's last row. PyTorch's `ctc_loss` runs on the gathered columns; since its gradient with respect to
    log-probabilities is `exp(log p) - occupancy`, the occupancies come back from it and are scattered chunk by chunk.
    """

    @staticmethod
    def forward(context, hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, label_lengths: Tensor,
                frame_lengths: Tensor) -> Tensor:
        batch, frames, width = hidden.shape
        blank = weight.shape[0] - 1
        # Column 0 is the blank, column 1 + j the j-th distinct label of the sentence: repeats share a column.
        columns = torch.full((batch, 1 + labels.shape[1]), blank)
        targets = torch.zeros_like(labels)
        for row in range(batch):
            distinct, inverse = labels[row, : label_lengths[row]].unique(return_inverse=True)
            columns[row, 1 : 1 + len(distinct)] = distinct
            targets[row, : label_lengths[row]] = inverse + 1
        valid = torch.arange(frames)[None, :] < frame_lengths[:, None]
        flat = hidden[valid]
        owner = valid.nonzero()[:, 0]
        picked = columns[owner]
        scores = torch.empty(flat.shape[0], columns.shape[1])
        chunks = []
        for start in range(0, flat.shape[0], 200):
            logits = torch.addmm(bias, flat[start : start + 200], weight.t())
            normaliser = logits.logsumexp(dim=1, keepdim=True)
            scores[start : start + 200] = logits.gather(1, picked[start : start + 200]) - normaliser
            chunks.append(logits.sub_(normaliser).exp_())
        with torch.enable_grad():
            gathered = torch.full((batch, frames, columns.shape[1]), -30.0)
            gathered[valid] = scores
            gathered = gathered.transpose(0, 1).contiguous().requires_grad_()
            losses = F.ctc_loss(gathered, targets, frame_lengths, label_lengths, blank=0, reduction="none",
                                zero_infinity=True)
            (gradient,) = torch.autograd.grad(losses.sum(), gathered)
        feasible = (losses > 0).float()[owner, None] / batch
        occupancy = (scores.exp() - gradient.transpose(0, 1)[valid]) * feasible
        # Padding columns repeat the blank; their occupancy is not defined, so it is dropped.
        padding = torch.arange(columns.shape[1])[None, :] > targets.max(dim=1).values[:, None]
        occupancy[padding[owner]] = 0.0
        grad_flat = torch.empty_like(flat)
        grad_weight = torch.zeros_like(weight)
        grad_bias = torch.zeros_like(bias)
        for index, start in enumerate(range(0, flat.shape[0], 200)):
            rows = slice(start, start + 200)
            dense = chunks[index].mul_(feasible[rows])
            dense.scatter_add_(1, picked[rows], -occupancy[rows])
            torch.mm(dense, weight, out=grad_flat[rows])
            grad_weight.addmm_(dense.t(), flat[rows])
            grad_bias += dense.sum(dim=0)
        grad_hidden = torch.zeros_like(hidden)
        grad_hidden[valid] = grad_flat
        context.save_for_backward(grad_hidden, grad_weight, grad_bias)
        return losses.sum() / batch

    @staticmethod
    def backward(context, upstream: Tensor):
        grad_hidden, grad_weight, grad_bias = context.saved_tensors
        return upstream * grad_hidden, upstream * grad_weight, upstream * grad_bias, None, None, None
