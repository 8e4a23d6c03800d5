"""The second stage: another head on features that plain training has learnt.

Kang et al., Decoupling Representation and Classifier for Long-Tailed Recognition, ICLR 2020:
features are learnt best from images as they come, and what plain training gets wrong of rare
classes is mostly in the head. Both of the paper's remedies are here, for features that were
computed once: `retrain_head` ("cRT") and `tau_normalised`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

from fastload import BalancedSampler
from train_ref.adjustment import Adjustment
from train_ref.errors import TrainError
from train_ref.metrics import EQUAL, GROUP_BOUNDS, checked_labels, score
from train_ref.optimizer import parameter_groups

__all__ = ["choose_tau_norm", "retrain_head", "tau_normalised"]

Features = npt.NDArray[np.float32] | torch.Tensor
Labels = npt.NDArray[np.int64] | torch.Tensor

_BATCH = 64
# From the head as it is to one whose rare classes outweigh common ones as much as these did them.
_TAUS = np.linspace(0, 2, 201)


def retrain_head(
    features: Features,
    labels: Labels,
    classes: Sequence[str],
    *,
    epochs: int,
    lr: float,
    weight_decay: float,
    balance: str = "class",
    seed: int,
    init: nn.Linear,
) -> nn.Linear:
    """Train a head on balanced epochs of frozen features ("cRT").

    Cross-entropy by AdamW, the learning rate falling to 0 along a cosine, in batches of 64. (The
    paper has SGD; AdamW does not mind how large features are, which differs from body to body.)
    Epochs are those of :class:`fastload.BalancedSampler`. The same arguments give the same head.

    Args:
        features: float32, shape (n, d), of the training images without augmentation.
        labels: int64, shape (n,), in 0 to c - 1.
        classes: their c names.
        epochs: 0 gives `init` back.
        lr: where the learning rate begins.
        weight_decay: of the weights; the bias has none.
        balance: a balance of docs/imbalance.md.
        seed: of the order.
        init: where training starts, left as it is: a new layer, as in the paper, or the head that
            was trained with the features. Its device is where training runs.

    Returns:
        A new layer.

    Raises:
        TrainError: shapes of features, labels, classes and head do not match.
        ValueError: balance cannot be drawn so.

    Example:
        >>> features = torch.eye(3)[[0] * 9 + [1] * 3 + [2]]
        >>> labels = np.array([0] * 9 + [1] * 3 + [2])
        >>> head = retrain_head(features, labels, ["a", "b", "c"], epochs=50, lr=0.1,
        ...                     weight_decay=0, seed=0, init=nn.Linear(3, 3))
        >>> head(torch.eye(3)).argmax(dim=1).tolist()
        [0, 1, 2]
    """
    device = init.weight.device
    # fp16 or bf16 features, of autocast, are computed with as what the head has.
    inputs = _checked_features(features, init)
    truth = checked_labels(torch.as_tensor(labels).cpu(), (len(inputs), len(classes)))
    if init.out_features != len(classes):
        raise TrainError(f"The head has {init.out_features} classes, the data {len(classes)}.")
    sampler = BalancedSampler(truth, balance, seed=seed, classes=classes)
    head = copy.deepcopy(init).requires_grad_(True)
    optimizer = torch.optim.AdamW(parameter_groups(head, weight_decay), lr=lr)
    targets = torch.from_numpy(truth).to(device)
    steps, step = epochs * math.ceil(len(sampler) / _BATCH), 0
    for epoch in range(epochs):
        order = torch.from_numpy(sampler.order(epoch)).to(device)
        for rows in torch.split(order, _BATCH):
            for group in optimizer.param_groups:
                group["lr"] = lr * (1 + math.cos(math.pi * step / steps)) / 2
            loss = F.cross_entropy(head(inputs[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1
    return head


@torch.no_grad()
def tau_normalised(head: nn.Linear, tau: float) -> nn.Linear:
    """Divide each class's weights by their norm to the power of tau.

    Kang et al., ICLR 2020: norms grow with the images of a class, so that with tau 1 all classes
    weigh alike. The paper leaves the bias out; here it is divided as the weights are, so that a
    class's logit as a whole is, and tau 0 is the head as it was. Weights that are all 0 stay.

    Args:
        head: (n, d) -> (n, c), left as it is.
        tau: 0 for no change.

    Returns:
        A new layer.

    Example:
        >>> head = nn.Linear(2, 1)
        >>> _ = head.weight.data.copy_(torch.tensor([[3.0, 4.0]])), head.bias.data.fill_(10)
        >>> normalised = tau_normalised(head, 1.0)
        >>> [[round(value, 4) for value in row] for row in normalised.weight.tolist()]
        [[0.6, 0.8]]
        >>> normalised.bias.tolist()
        [2.0]
    """
    other = copy.deepcopy(head)
    divisors = _norms(head) ** tau
    other.weight.div_(divisors[:, None])
    if other.bias is not None:
        other.bias.div_(divisors)
    return other


@torch.no_grad()
def choose_tau_norm(
    head: nn.Linear,
    val_features: Features,
    val_labels: Labels,
    counts: npt.ArrayLike,
    metric: str,
    groups: tuple[int, int] = GROUP_BOUNDS,
) -> Adjustment:
    """Find the tau of :func:`tau_normalised`, in 0 to 2 by hundredths, that makes a metric largest.

    Of equals the smallest; so never worse than the head as it is, on these images.

    Args:
        head: (n, d) -> (n, c).
        val_features: float32, shape (n, d), of validation images.
        val_labels: int64, shape (n,), in 0 to c - 1.
        counts: training images of each class, shape (c,).
        metric: one of `METRICS`.
        groups: as that of :func:`train_ref.metrics.score`.

    Returns:
        `tau` is for `tau_normalised`, not for logit adjustment. `after` flatters it: these images
        have chosen it.

    Raises:
        TrainError: as `score`, or the head wants features of another width.
    """
    inputs = _checked_features(val_features, head)
    labels = torch.as_tensor(val_labels).cpu().numpy()
    before = score(head(inputs).cpu(), labels, counts, groups)
    logits, norms = head(inputs).double(), _norms(head).double()
    tau, best = 0.0, before.value(metric)
    for tried in _TAUS[1:].tolist():
        value = score((logits / norms**tried).cpu(), labels, counts, groups).value(metric)
        if value > best + EQUAL:
            tau, best = tried, value
    # What counts is what the new layer answers: its rounding is another.
    after = score(tau_normalised(head, tau)(inputs).cpu(), labels, counts, groups)
    if after.value(metric) > before.value(metric) + EQUAL:
        return Adjustment(tau, before, after)
    return Adjustment(0.0, before, before)


def _norms(head: nn.Linear) -> torch.Tensor:
    """Norm of each class's weights, 1 where they are all 0."""
    norms = head.weight.norm(dim=1)
    return torch.where(norms > 0, norms, torch.ones_like(norms))


def _checked_features(features: Features, head: nn.Linear) -> torch.Tensor:
    inputs = torch.as_tensor(features).to(head.weight)
    if inputs.ndim != 2 or inputs.shape[1] != head.in_features:
        raise TrainError(
            f"Features have shape {tuple(inputs.shape)}; this head wants (images, "
            f"{head.in_features})."
        )
    return inputs
