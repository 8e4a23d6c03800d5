"""Batches are mixed as the papers and torchvision mix them, by words of their place alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torchvision.transforms import v2

from fastload.augment import CutMix, Draws, MixUp, PairedTargets, RandomMix
from fastload.augment.draws import symmetric_beta
from fastload.augment.mixing import BatchMix
from fastload.augment.mixture import Mixture, mixed_images, soft_targets

ROWS, CLASSES = 6, 5
BOX = (3, 1, 7, 12)
MIXTURES = {
    "pixels": Mixture(0.3, 1),
    "pixels, four rows apart": Mixture(0.85, 4),
    "box": Mixture(1 - 44 / 140, 2, BOX),
    "empty box": Mixture(1.0, 2, (3, 3, 3, 9)),
    "one alone": Mixture(0.4, 0),
    "nothing": Mixture(1.0, 3),
    "everything": Mixture(0.0, 3),
}
KINDS: list[BatchMix] = [
    MixUp(CLASSES, alpha=0.7),
    CutMix(CLASSES),
    RandomMix([MixUp(CLASSES), CutMix(CLASSES)]),
]


def images_of(dtype: torch.dtype = torch.uint8, rows: int = ROWS) -> torch.Tensor:
    levels = torch.randint(0, 256, (rows, 3, 10, 14), generator=torch.Generator().manual_seed(1))
    return levels.to(dtype) if dtype == torch.uint8 else (levels / 255).to(dtype)


def labels_of(rows: int = ROWS) -> torch.Tensor:
    return torch.arange(rows) % CLASSES


def recomputed(values: np.ndarray, mixture: Mixture) -> np.ndarray:
    """Row by row, in float64."""
    mixed = np.empty(values.shape)
    for row in range(len(values)):
        partner = values[(row - mixture.shift) % len(values)].astype(np.float64)
        if mixture.box is None:
            mixed[row] = mixture.share * values[row] + (1 - mixture.share) * partner
        else:
            top, left, bottom, right = mixture.box
            mixed[row] = values[row]
            mixed[row, :, top:bottom, left:right] = partner[:, top:bottom, left:right]
    return mixed


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [
        (torch.uint8, 0.5001),
        (torch.float16, 1e-3),
        (torch.bfloat16, 8e-3),
        (torch.float32, 1e-6),
        (torch.float64, 1e-15),
    ],
)
@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES.keys())
def test_images_are_those_of_numpy(
    mixture: Mixture, dtype: torch.dtype, tolerance: float, layout: torch.memory_format
) -> None:
    images = images_of(dtype).to(memory_format=layout)
    before = images.clone()
    mixed = mixed_images(images, mixture)
    assert torch.equal(images, before)
    assert mixed.dtype == dtype and mixed.shape == images.shape
    assert mixed.is_contiguous(memory_format=layout)
    expected = recomputed(before.double().numpy(), mixture)
    assert np.abs(mixed.double().numpy() - expected).max() <= tolerance


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
def test_pixels_and_targets_are_torchvisions(share: float, soft: bool) -> None:
    images, labels = images_of(torch.float32), labels_of()
    given = (
        torch.rand(ROWS, CLASSES, generator=torch.Generator().manual_seed(2)) if soft else labels
    )
    theirs = v2.MixUp(num_classes=CLASSES)
    expected = theirs.transform(images, {"labels": given, "batch_size": ROWS, "lam": share})
    ours = Mixture(share, 1)
    torch.testing.assert_close(mixed_images(images, ours), expected)
    targets = soft_targets(given, ours, CLASSES)
    torch.testing.assert_close(targets, theirs._mixup_label(given, lam=share))


def test_boxes_are_torchvisions() -> None:
    images, (top, left, bottom, right) = images_of(), BOX
    params = {"labels": labels_of(), "batch_size": ROWS, "box": (left, top, right, bottom)}
    expected = v2.CutMix(num_classes=CLASSES).transform(images, params)
    assert torch.equal(mixed_images(images, Mixture(0.7, 1, BOX)), expected)


@pytest.mark.parametrize("mix", KINDS, ids=lambda mix: type(mix).__name__)
@pytest.mark.parametrize("soft", [False, True])
def test_pairs_say_what_soft_targets_say(mix: Any, soft: bool) -> None:
    images, labels = images_of(torch.float32), labels_of()
    given = torch.nn.functional.one_hot(labels, CLASSES).double() if soft else labels
    paired = {
        MixUp: MixUp(CLASSES, 0.7, "pairs"),
        CutMix: CutMix(CLASSES, targets="pairs"),
        RandomMix: RandomMix([MixUp(CLASSES, targets="pairs"), CutMix(CLASSES, targets="pairs")]),
    }[type(mix)]
    for step in range(10):
        pixels, targets = mix(images, given, step=step)
        same, pairs = paired(images, given, step=step)
        assert torch.equal(pixels, same)
        assert isinstance(pairs, PairedTargets) and pairs.first is given
        assert targets.dtype == (torch.float64 if soft else torch.float32)
        logits = torch.randn(ROWS, CLASSES, dtype=targets.dtype)
        one = torch.nn.functional.cross_entropy(logits, targets)
        first, second = (torch.nn.functional.cross_entropy(logits, t) for t in pairs[:2])
        torch.testing.assert_close(one, pairs.share * first + (1 - pairs.share) * second)


@pytest.mark.parametrize("mix", KINDS, ids=lambda mix: type(mix).__name__)
def test_a_step_decides_and_global_generators_do_not(mix: Any) -> None:
    images, labels = images_of(torch.float32), labels_of()
    before = torch.get_rng_state()
    batches = [mix(images, labels, step=step) for step in range(20)]
    assert torch.equal(torch.get_rng_state(), before)
    for step in (19, 0, 7):
        again = mix(images, labels, step=step)
        assert torch.equal(again[0], batches[step][0]) and torch.equal(again[1], batches[step][1])
    assert len({one.numpy().tobytes() for one, _ in batches}) > 15
    others = [mix(images, labels, step=step, seed=1)[0] for step in range(20)]
    assert sum(torch.equal(one, other) for one, (other, _) in zip(others, batches, strict=True)) < 3


def words_of(count: int) -> np.ndarray:
    return Draws(5, 0, np.arange(count)).words(0xFFFC, 2)


@pytest.mark.parametrize("alpha", [0.2, 0.4, 1.0, 2.0, 30.0])
def test_shares_follow_the_beta_distribution(alpha: float) -> None:
    drawn = symmetric_beta(words_of(20000)[:, 0, :3], alpha)
    assert stats.kstest(drawn, "beta", args=(alpha, alpha)).pvalue > 0.01


def test_shares_of_any_alpha_are_numbers_from_0_to_1() -> None:
    top = 2**32 - 1
    ends = np.array(np.meshgrid(*[[0, 1, 2**30, 2**31, 3 * 2**30, top]] * 3), np.uint32)
    for alpha in (1e-300, 1e-3, 0.5, 1.0, 1e6, 1e300):
        drawn = symmetric_beta(ends.reshape(3, -1).T, alpha)
        assert (drawn >= 0).all() and (drawn <= 1).all()


def test_mixtures_have_the_shares_and_partners_that_are_drawn() -> None:
    mixtures = [MixUp(3, alpha=0.4).mixture(words, 5, 8, 8) for words in words_of(4000)]
    shares = [mixture.share for mixture in mixtures]
    assert stats.kstest(shares, "beta", args=(0.4, 0.4)).pvalue > 0.01
    shifts = np.bincount([mixture.shift for mixture in mixtures], minlength=5)
    assert shifts[0] == 0 and stats.chisquare(shifts[1:]).pvalue > 0.01


def test_boxes_have_torchvisions_distribution() -> None:
    height, width, draws = 40, 64, 4000
    ours = [CutMix(3).mixture(words, 4, height, width) for words in words_of(draws)]
    torch.manual_seed(4)
    image, theirs = torch.empty(1, 3, height, width), v2.CutMix(num_classes=3)
    drawn = [theirs.make_params([image]) for _ in range(draws)]
    boxes = np.array([mixture.box for mixture in ours])[:, [1, 0, 3, 2]]
    for side, expected in zip(
        boxes.T, np.array([params["box"] for params in drawn]).T, strict=True
    ):
        assert stats.ks_2samp(side, expected).pvalue > 0.001
    shares = [mixture.share for mixture in ours]
    assert stats.ks_2samp(shares, [params["lam_adjusted"] for params in drawn]).pvalue > 0.001
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    np.testing.assert_allclose(shares, 1 - areas / (height * width))
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= (width, height)).all()


def test_a_random_mix_takes_each_as_often_as_wanted() -> None:
    mix = RandomMix([MixUp(3), CutMix(3)], p=[0.5, 0.3])
    drawn = [mix.mixture(words, 4, 32, 32) for words in words_of(4000)]
    boxes = sum(mixture.box is not None for mixture in drawn)
    unmixed = sum(mixture.shift == 0 for mixture in drawn)
    assert (
        stats.chisquare([4000 - boxes - unmixed, boxes, unmixed], [2000, 1200, 800]).pvalue > 0.01
    )


def test_one_image_alone_stays_as_it_is() -> None:
    for mix in KINDS:
        for step in range(10):
            images, targets = mix(images_of(rows=1), labels_of(1), step=step)
            assert torch.equal(images, images_of(rows=1))
            torch.testing.assert_close(targets, torch.eye(CLASSES)[:1])


@pytest.mark.parametrize(
    ("images", "targets", "error", "words"),
    [
        (images_of().numpy(), labels_of(), TypeError, "images are a ndarray"),
        (images_of().int(), labels_of(), TypeError, "images are torch.int32"),
        (images_of()[0], labels_of(), ValueError, r"images have shape \(3, 10, 14\)"),
        (images_of(), list(range(ROWS)), TypeError, "targets are a list"),
        (images_of(), labels_of() > 2, TypeError, "targets are torch.bool"),
        (images_of(), labels_of(4), ValueError, r"of shape \(4,\): of 6 images"),
        (images_of(), torch.rand(ROWS, 4), ValueError, r"floats of shape \(6, 5\)"),
        (images_of(), labels_of() + 1, ValueError, "classes from 1 to 5, num_classes is 5"),
        (images_of(), labels_of() - 1, ValueError, "classes from -1 to 3"),
    ],
)
def test_what_is_no_batch_is_refused(
    images: Any, targets: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        MixUp(CLASSES)(images, targets, step=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MixUp(0), "num_classes is 0"),
        (lambda: CutMix(3.0), "num_classes is 3.0"),  # type: ignore[arg-type]
        (lambda: MixUp(3, alpha=0.0), "alpha is 0.0"),
        (lambda: MixUp(3, alpha=float("nan")), "alpha is nan"),
        (lambda: CutMix(3, targets="hard"), "choose one of soft, pairs"),
        (lambda: RandomMix([]), r"mixes is \[\]"),
        (lambda: RandomMix([MixUp(3), CutMix(4)]), "of the same classes"),
        (lambda: RandomMix([MixUp(3), CutMix(3)], p=[1.0]), "for each of the 2"),
        (lambda: RandomMix([MixUp(3), CutMix(3)], p=[0.8, 0.7]), "at most 1"),
        (lambda: RandomMix([MixUp(3), CutMix(3)], p=[-0.1, 0.7]), "p is"),
    ],
)
def test_arguments_are_checked(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
