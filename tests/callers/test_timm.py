"""timm's create_loader, which sets the dataset's transform and builds a plain torch DataLoader."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.callers.conftest import Library

timm_data = pytest.importorskip("timm.data", reason="timm is not installed (extra: callers)")


def loader(library: Library, **options: Any) -> Any:
    return timm_data.create_loader(
        library.ImageFolder(str(library.root)),
        input_size=(3, 32, 32),
        batch_size=16,
        use_prefetcher=False,
        device=torch.device("cpu"),
        **options,
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_training_loader(ours: Library, workers: int) -> None:
    batches = list(
        loader(ours, is_training=True, num_workers=workers, auto_augment="rand-m9-mstd0.5")
    )
    assert [tuple(images.shape) for images, _ in batches] == [(16, 3, 32, 32)] * 4
    assert all(images.dtype == torch.float32 for images, _ in batches)
    labels = torch.cat([labels for _, labels in batches])
    assert labels.bincount().tolist() == [10, 20, 34]


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_evaluation_loader_gives_the_reference_batches(
    reference: Library, ours: Library, interpolation: str
) -> None:
    options = {"is_training": False, "num_workers": 1, "interpolation": interpolation}
    for (images, labels), (our_images, our_labels) in zip(
        loader(reference, **options), loader(ours, **options), strict=True
    ):
        assert our_labels.tolist() == labels.tolist()
        # One grey level after timm's Normalize (its smallest deviation is 0.224).
        torch.testing.assert_close(our_images, images, atol=1.01 / 255 / 0.224, rtol=0)
