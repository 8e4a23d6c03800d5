"""A plain training loop in torchvision's manner: epochs, mixup in collate_fn, accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.utils.data import default_collate
from torchvision.transforms import v2

from tests.callers.conftest import COUNTS, Library

CLASSES = len(COUNTS)
TRAIN = v2.Compose(
    [
        v2.RandomResizedCrop(32, antialias=True),
        v2.RandomHorizontalFlip(),
        v2.PILToTensor(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
    ]
)
EVALUATE = v2.Compose(
    [
        v2.Resize(36, antialias=True),
        v2.CenterCrop(32),
        v2.PILToTensor(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
    ]
)


def mixup_collate(mix: Callable[..., Any]) -> Callable[[list[Any]], Any]:
    def collate(samples: list[Any]) -> Any:
        return mix(*default_collate(samples))

    return collate


def linear_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(3 * 4 * 4, CLASSES))


def train_one_epoch(
    model: nn.Module,
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    data_loader: Iterable[Any],
) -> list[float]:
    model.train()
    losses = []
    for image, target in data_loader:
        loss = criterion(model(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@torch.inference_mode()
def evaluate(model: nn.Module, data_loader: Iterable[Any]) -> tuple[torch.Tensor, float]:
    model.eval()
    outputs, targets = zip(*((model(image), target) for image, target in data_loader), strict=True)
    output, target = torch.cat(outputs), torch.cat(targets)
    return output, (output.argmax(1) == target).float().mean().item()


def test_training_with_mixup_learns(library: Library) -> None:
    train = library.ImageFolder(str(library.root), TRAIN)
    collate = mixup_collate(
        v2.RandomChoice([v2.MixUp(num_classes=CLASSES), v2.CutMix(num_classes=CLASSES)])
    )
    loader = library.DataLoader(
        train, batch_size=16, shuffle=True, num_workers=2, pin_memory=True, collate_fn=collate
    )
    model = linear_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = [
        loss
        for _ in range(5)
        for loss in train_one_epoch(model, nn.CrossEntropyLoss(), optimizer, loader)
    ]
    assert len(losses) == 5 * len(loader) == 5 * 4

    test = library.DataLoader(
        library.ImageFolder(str(library.root), EVALUATE), batch_size=16, num_workers=2
    )
    _, accuracy = evaluate(model, test)
    assert accuracy > 0.9


def test_mixup_sees_samples_as_torch_gives_them(ours: Library) -> None:
    seen: list[Any] = []

    def collate(samples: list[Any]) -> Any:
        seen.extend(samples)
        images, targets = v2.MixUp(num_classes=CLASSES)(*default_collate(samples))
        assert images.shape == (16, 3, 32, 32)
        torch.testing.assert_close(targets.sum(1), torch.ones(16))
        return images, targets

    loader = ours.DataLoader(
        ours.ImageFolder(ours.root, TRAIN), 16, shuffle=True, collate_fn=collate, drop_last=True
    )
    assert len(list(loader)) == 4
    image, target = seen[0]
    assert len(seen) == 64
    assert (image.shape, image.dtype, type(target)) == ((3, 32, 32), torch.float32, int)
    assert sorted(target for _, target in seen) == [0] * 10 + [1] * 20 + [2] * 34


def test_evaluation_gives_the_reference_outputs(reference: Library, ours: Library) -> None:
    model = linear_model()
    results = []
    for library in (reference, ours):
        dataset = library.ImageFolder(str(library.root), EVALUATE)
        results.append(evaluate(model, library.DataLoader(dataset, batch_size=10, num_workers=2)))
    (expected, expected_accuracy), (output, accuracy) = results
    assert accuracy == expected_accuracy
    # One grey level is 1/255/0.25 after Normalize; the model averages 64 pixels and weighs them.
    torch.testing.assert_close(output, expected, atol=1 / 255 / 0.25, rtol=0)
