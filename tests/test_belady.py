"""What a cache too small for all keeps, against the best that hindsight could have kept."""

from __future__ import annotations

import heapq
import warnings
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import transforms as v1

import fastload
from fastload.engines.cache import RecordCache, shared_cache

WHOLE = v1.Compose([v1.Resize((16, 16)), v1.PILToTensor()])
CLASSES = (60, 35, 22, 14, 9, 6, 4, 3)
EPOCHS = 7
NEVER = 1 << 60


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache of the test's own in the place of the process's."""
    monkeypatch.setattr("fastload.engines.cache._shared", RecordCache())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Images of|An epoch leaves out")
        yield


@pytest.fixture(scope="module")
def long_tail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("belady")
    draw = np.random.default_rng(4)
    for label, count in enumerate(CLASSES):
        folder = root / "photos" / f"class {label}"
        folder.mkdir(parents=True)
        for number in range(count):
            height, width = draw.integers(60, 150, 2)
            coarse = draw.integers(0, 256, (6, 6, 3), np.uint8)
            image = Image.fromarray(coarse).resize((int(width), int(height)))
            image.save(folder / f"{number}.jpg", quality=90)
    return fastload.pack(root / "photos").path


def loader_of(pack: Path, cache: int, balance: str) -> fastload.DataLoader:
    dataset = fastload.ImageFolder(pack, WHOLE)
    return fastload.DataLoader(
        dataset, 16, num_workers=1, seed=5, cache=cache, balance=balance,
        shuffle=None if balance != "none" else True,
    )  # fmt: skip


def kept_bytes(pack: Path) -> list[int]:
    """What the cache takes for each sample."""
    dataset = fastload.ImageFolder(pack, WHOLE)
    loader = fastload.DataLoader(dataset, 1, num_workers=0, cache=10**10)
    sizes, before = [], 0
    for _ in loader:
        now = shared_cache().facts().bytes
        sizes.append(now - before)
        before = now
    loader.close()
    return sizes


def hits_with_hindsight(visits: list[int], sizes: list[int], budget: int) -> list[bool]:
    """Belady's choice for what has a size: what is wanted last makes room, the new one included."""
    next_visit, coming = [NEVER] * len(visits), dict[int, int]()
    for place in range(len(visits) - 1, -1, -1):
        next_visit[place] = coming.get(visits[place], NEVER)
        coming[visits[place]] = place
    kept: dict[int, int] = {}
    by_next: list[tuple[int, int]] = []
    used, hits = 0, []
    for place, sample in enumerate(visits):
        hits.append(sample in kept)
        used += 0 if sample in kept else sizes[sample]
        kept[sample] = next_visit[place]
        heapq.heappush(by_next, (-next_visit[place], sample))
        while used > budget:
            wanted, last = heapq.heappop(by_next)
            if kept.get(last) == -wanted:
                del kept[last]
                used -= sizes[last]
    return hits


@pytest.mark.parametrize("balance", ["none", "sqrt", "class"])
def test_hits_are_near_the_best(long_tail: Path, balance: str) -> None:
    compare(long_tail, balance, points=3)


@pytest.mark.real_data
def test_hits_on_photos_are_near_the_best(real_photos: Path, tmp_path: Path) -> None:
    compare(fastload.pack(real_photos, tmp_path / "photos.pack").path, "class", points=3)


def compare(pack: Path, balance: str, points: float) -> None:
    """A cache of a quarter of what all would take; the first epoch finds nothing anywhere."""
    sizes = kept_bytes(pack)
    loader = loader_of(pack, sum(sizes) // 4, balance)
    ours = []
    for _ in range(EPOCHS):
        deque(loader, maxlen=0)
        ours.append(loader.stats().hits)
    # Two epochs more, so that the last one's future is known to it as well.
    orders = [loader.sampler.order(epoch).tolist() for epoch in range(EPOCHS + 2)]
    visits = [sample for order in orders for sample in order]
    best = np.array(hits_with_hindsight(visits, sizes, sum(sizes) // 4))
    length = len(orders[0])
    theirs = best[length : EPOCHS * length].mean()
    assert 0.1 < theirs < 0.9
    assert np.mean(ours[1:]) >= theirs - points / 100
