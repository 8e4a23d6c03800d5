"""What is minimised: seven ways to weigh a mistake, of one form.

Each loss says what an image costs if class k is its class (`class_losses`). The rest is the same
for all of them:

- Label smoothing (Szegedy et al., Rethinking the Inception Architecture, CVPR 2016) moves a share
  of the target to all classes alike, so a share of the cost to the mean over them. A class weight
  is that of the image's class, for the smoothed part too: torch's `cross_entropy` weighs that part
  by each class it goes to, and there the weights of rare classes drown the images of common ones.
- Shares, from MixUp (Zhang et al., ICLR 2018) and CutMix (Yun et al., ICCV 2019), cost the sum over
  classes of share * cost, weights included: as if the image came as each of its classes.
- The loss of a batch is the plain mean over its images, not one divided by the batch's weights.
  So the parts of an accumulated batch, or of several ranks, add up to that of the whole batch.

What an epoch draws of each class (a balanced sampler's draws) takes the place of its images
wherever a formula corrects how often a class comes: what the sampler has balanced is not balanced
a second time. Where a formula is about how many different images there are, it stays with them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.prior import filled, log_prior

__all__ = [
    "CrossEntropy",
    "Focal",
    "Ldam",
    "Loss",
    "effective_number_weights",
    "inverse_frequency_weights",
    "ldam_margins",
    "make_loss",
]

Floats = npt.NDArray[np.float64]

# Below it, a probability of being wrong is rounding; a power or logarithm of 0 has no gradient.
_LEAST_DOUBT = 1e-30


class Loss(nn.Module, ABC):
    """A loss that classes can have weights in.

    Args:
        weights: of each class, shape (c,).
        smoothing: share of the target that all classes divide, 0 to below 1.
    """

    weights: torch.Tensor

    def __init__(self, weights: npt.ArrayLike, smoothing: float = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing
        _register(self, "weights", weights)

    @abstractmethod
    def class_losses(self, logits: torch.Tensor) -> torch.Tensor:
        """Return what each image costs if it is of each class: (n, c) -> (n, c), unweighted."""

    def set_epoch(self, epoch: int, epochs: int) -> None:
        """Say that an epoch begins.

        Args:
            epoch: from 0 on.
            epochs: how many there are in all.
        """

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean over a batch.

        Args:
            logits: floating, shape (n, c); half precision is computed with as float32.
            targets: int64 labels, shape (n,), or floating shares, shape (n, c).

        Returns:
            A scalar, float32 (float64 for logits of that).

        Raises:
            TrainError: targets are neither.
        """
        losses = self.class_losses(logits.to(torch.promote_types(logits.dtype, torch.float32)))
        if self.smoothing:
            losses = torch.lerp(losses, losses.mean(dim=1, keepdim=True), self.smoothing)
        losses = losses * self.weights
        if targets.is_floating_point():
            if targets.shape != losses.shape:
                raise _misfit(logits, targets)
            return (targets * losses).sum(dim=1).mean()
        if targets.shape != losses.shape[:1]:
            raise _misfit(logits, targets)
        return losses.gather(1, targets[:, None]).mean()


class CrossEntropy(Loss):
    """Cross-entropy, -log p_k, of logits that may first be shifted by their classes' frequency.

    With an offset of tau * log(share of the class) it is the logit-adjusted loss of Menon et al.,
    Long-Tail Learning via Logit Adjustment, ICLR 2021:
    -log(share_k^tau exp(z_k) / sum_j share_j^tau exp(z_j)). With tau = 1 that is the balanced
    softmax of Ren et al., Balanced Meta-Softmax for Long-Tailed Visual Recognition, NeurIPS 2020.
    The model learns logits from which the frequency is gone; at prediction nothing is added.

    Args:
        weights: of each class, shape (c,).
        smoothing: see :class:`Loss`.
        offset: added to the logits, shape (c,).

    Example:
        >>> loss = CrossEntropy(weights=[1, 1], offset=log_prior([3, 1]))
        >>> round(loss(torch.zeros(1, 2), torch.tensor([1])).item(), 4)  # log 4
        1.3863
    """

    offset: torch.Tensor

    def __init__(
        self, weights: npt.ArrayLike, smoothing: float = 0.0, offset: npt.ArrayLike = 0.0
    ) -> None:
        super().__init__(weights, smoothing)
        _register(self, "offset", offset)

    def class_losses(self, logits: torch.Tensor) -> torch.Tensor:
        """Return -log p_k, shape (n, c)."""
        return -(logits + self.offset).log_softmax(dim=1)


class Focal(Loss):
    """Focal loss, -(1 - p_k)^gamma log p_k: what is easy counts less.

    Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, with softmax in place of the
    sigmoid, as is usual where an image has one class. p_k is the model's probability, never that
    of a weighted cross-entropy: a weight outside would otherwise make images easy or hard.

    Args:
        weights: of each class, shape (c,).
        smoothing: see :class:`Loss`.
        gamma: from 0 on, where it is cross-entropy.

    Example:
        >>> loss = Focal(weights=[1, 1], gamma=2)
        >>> logits = torch.tensor([[3.0, 1.0]]).log()  # p is 3/4: log(4/3) / 16
        >>> round(loss(logits, torch.tensor([0])).item(), 5)
        0.01798
    """

    def __init__(self, weights: npt.ArrayLike, smoothing: float = 0.0, gamma: float = 2.0) -> None:
        super().__init__(weights, smoothing)
        self.gamma = gamma

    def class_losses(self, logits: torch.Tensor) -> torch.Tensor:
        """Return -(1 - p_k)^gamma log p_k, shape (n, c)."""
        log_p = logits.log_softmax(dim=1)
        return -_doubt(log_p).pow(self.gamma) * log_p


class Ldam(Loss):
    """Cross-entropy with a margin that is larger for rare classes, and weights in late epochs.

    Cao et al., Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss, NeurIPS
    2019: -log(exp(z_k - m_k) / (exp(z_k - m_k) + sum_{j != k} exp(z_j))), with m_k as of
    :func:`ldam_margins`; "deferred re-weighting" (DRW) leaves the weights out until features have
    been learnt without.

    The paper's logits are cosines times 30. Heads here are linear and find their scale
    themselves, so there is no such factor, and a margin is in units of the logits: the paper's 0.5
    is 15 there.

    Args:
        weights: of each class in the late epochs, shape (c,).
        smoothing: see :class:`Loss`; each class that has a share of it has its own margin.
        margins: shape (c,), from 0 on.
        deferred: share of the epochs that are trained without weights; 1 for all.

    Example:
        >>> loss = Ldam(weights=[1, 1], margins=[0.25, 0.5])
        >>> round(loss(torch.zeros(1, 2), torch.tensor([1])).item(), 4)  # log(1 + exp(0.5))
        0.9741
    """

    margins: torch.Tensor
    late_weights: torch.Tensor

    def __init__(
        self,
        weights: npt.ArrayLike,
        smoothing: float = 0.0,
        *,
        margins: npt.ArrayLike,
        deferred: float = 0.8,
    ) -> None:
        super().__init__(np.ones_like(weights, np.float64), smoothing)
        self.deferred = deferred
        _register(self, "late_weights", weights)
        _register(self, "margins", margins)

    def set_epoch(self, epoch: int, epochs: int) -> None:
        """Put weights in place once `deferred` of the epochs are over."""
        # Rounded, since 0.55 * 100 is a little more than 55.
        late = epoch >= round(self.deferred * epochs, 9)
        self.weights.copy_(self.late_weights if late else torch.ones_like(self.late_weights))

    def class_losses(self, logits: torch.Tensor) -> torch.Tensor:
        """Return what each class costs with its own margin, shape (n, c)."""
        # For all k at once: the denominator, divided by the sum of all exp(z_j) that log_softmax
        # has, is (1 - p_k) + p_k exp(-m_k).
        log_p = logits.log_softmax(dim=1)
        inside = log_p - self.margins
        return torch.logaddexp(_doubt(log_p).log(), inside) - inside


def inverse_frequency_weights(counts: npt.ArrayLike, draws: npt.ArrayLike | None = None) -> Floats:
    """Weigh each class by the inverse of how often it comes.

    Args:
        counts: training images of each class, shape (c,).
        draws: what an epoch draws of each; None for each image once.

    Returns:
        float64, shape (c,), with mean 1 over the classes that come. An average image then weighs
        less than 1 (with the classes of docs/imbalance.md a ninth), which SGD, other than AdamW,
        feels as a lower learning rate.

    Example:
        >>> inverse_frequency_weights([3, 1]).tolist()
        [0.5, 1.5]
        >>> inverse_frequency_weights([3, 1], draws=[2, 2]).tolist()
        [1.0, 1.0]
    """
    shown = counts if draws is None else draws
    return _mean_one(1 / filled(shown), shown)


def effective_number_weights(
    counts: npt.ArrayLike, beta: float, draws: npt.ArrayLike | None = None
) -> Floats:
    """Weigh each image by the inverse of its class's effective number of images.

    Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019: images of a
    class overlap, so n of them are worth (1 - beta^n) / (1 - beta). With beta 0 all weights are
    1, towards 1 they are the inverse frequency. Where images come several times an epoch, their
    weight is divided by that.

    Args:
        counts: training images of each class, shape (c,).
        beta: 0 to below 1.
        draws: what an epoch draws of each; None for each image once.

    Returns:
        float64, shape (c,), with mean 1 over the classes that come, as in the paper; see
        :func:`inverse_frequency_weights`.

    Example:
        >>> effective_number_weights([1, 2], beta=0.9).round(4).tolist()  # 1 and 1.9
        [1.3103, 0.6897]
    """
    images = filled(counts)
    shown = counts if draws is None else draws
    effective = (1 - beta**images) / (1 - beta)
    return _mean_one(images / filled(shown) / effective, shown)


def ldam_margins(counts: npt.ArrayLike, largest: float) -> Floats:
    """Return a margin for each class: as n^(-1/4), the rarest class's is the largest.

    Cao et al., NeurIPS 2019 (see :class:`Ldam`). It comes of a bound on what a class of n
    different images generalises to, so draws have no part in it.

    Args:
        counts: training images of each class, shape (c,).
        largest: margin of the rarest class, in units of the logits.

    Returns:
        float64, shape (c,).

    Example:
        >>> ldam_margins([16, 1], largest=0.5).tolist()
        [0.25, 0.5]
    """
    images = filled(counts)
    return np.asarray(largest * (images.min() / images) ** 0.25)


def make_loss(
    config: Config,
    counts: npt.NDArray[np.int64],
    draws: npt.NDArray[np.float64] | None = None,
) -> Loss:
    """Make the loss that a config asks for.

    Args:
        config: `loss` and its settings: `label_smoothing`, `focal_gamma`, `cb_beta`,
            `ldam_margin`, `drw`, `loss_tau`.
        counts: training images of each class, int64, shape (c,); for a class without any see
            :func:`train_ref.prior.filled`.
        draws: what an epoch is expected to draw of each class, float64, shape (c,); None for each
            image once.

    Raises:
        TrainError: no class has images, or counts and draws are of different classes.

    Example:
        >>> loss = make_loss(Config(loss="weighted-ce"), np.array([3, 1]))
        >>> round(loss(torch.zeros(2, 2), torch.tensor([0, 0])).item(), 4)  # log(2) / 2
        0.3466
    """
    if draws is not None and np.shape(draws) != np.shape(counts):
        raise TrainError(
            f"There are images of {np.size(counts)} classes and draws of {np.size(draws)}."
        )
    return _MAKERS[config.loss](config, counts, draws)


_Maker = Callable[[Config, npt.ArrayLike, npt.ArrayLike | None], Loss]


def _plain(config: Config, counts: npt.ArrayLike, _: npt.ArrayLike | None) -> Loss:
    return CrossEntropy(np.ones_like(filled(counts)), config.label_smoothing)


def _inverse(config: Config, counts: npt.ArrayLike, draws: npt.ArrayLike | None) -> Loss:
    return CrossEntropy(inverse_frequency_weights(counts, draws), config.label_smoothing)


def _focal(config: Config, counts: npt.ArrayLike, _: npt.ArrayLike | None) -> Loss:
    return Focal(np.ones_like(filled(counts)), config.label_smoothing, config.focal_gamma)


def _effective(config: Config, counts: npt.ArrayLike, draws: npt.ArrayLike | None) -> Loss:
    weights = effective_number_weights(counts, config.cb_beta, draws)
    return CrossEntropy(weights, config.label_smoothing)


def _ldam(config: Config, counts: npt.ArrayLike, draws: npt.ArrayLike | None) -> Loss:
    return Ldam(
        effective_number_weights(counts, config.cb_beta, draws),
        config.label_smoothing,
        margins=ldam_margins(counts, config.ldam_margin),
        deferred=config.drw,
    )


def _balanced(config: Config, counts: npt.ArrayLike, draws: npt.ArrayLike | None) -> Loss:
    return _adjusted(config.replace(loss_tau=1.0), counts, draws)


def _adjusted(config: Config, counts: npt.ArrayLike, draws: npt.ArrayLike | None) -> Loss:
    offset = config.loss_tau * log_prior(counts if draws is None else draws)
    return CrossEntropy(np.ones_like(offset), config.label_smoothing, offset)


_MAKERS: dict[str, _Maker] = {
    "ce": _plain,
    "weighted-ce": _inverse,
    "focal": _focal,
    "class-balanced": _effective,
    "ldam": _ldam,
    "balanced-softmax": _balanced,
    "logit-adjusted": _adjusted,
}


def _register(module: nn.Module, name: str, values: npt.ArrayLike) -> None:
    """Keep numbers where the module is. Config and data make them: no checkpoint needs them."""
    module.register_buffer(name, torch.tensor(values, dtype=torch.float32), persistent=False)


def _doubt(log_p: torch.Tensor) -> torch.Tensor:
    """1 - p, without the loss of digits near p = 1."""
    return (-torch.expm1(log_p)).clamp(min=_LEAST_DOUBT)


def _mean_one(weights: Floats, shown: npt.ArrayLike) -> Floats:
    """Scale weights to the mean 1 over the classes that come."""
    mean: np.float64 = weights[np.asarray(shown) > 0].mean()
    return weights / mean


def _misfit(logits: torch.Tensor, targets: torch.Tensor) -> TrainError:
    return TrainError(
        f"Targets of shape {tuple(targets.shape)} and {targets.dtype} do not go with logits of "
        f"shape {tuple(logits.shape)}: they are labels, int64 (images,), or shares, float "
        "(images, classes)."
    )
