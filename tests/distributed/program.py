"""A program for torchrun: one rank that loads shares of epochs and says what it was served.

python -m torch.distributed.run ... program.py PACK OUTPUT SCENARIO ...

OUTPUT/RANK.json gets what each scenario returns. A sample is told by its pixels and label; draws
are part of that, since the transform draws.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from torch.utils.data import DistributedSampler, Subset, TensorDataset
from torchvision.transforms import transforms as v1

import fastload
from fastload.errors import RanksError

SIZES = (22, 7, 2)
UNEVEN = ("pad", "drop", "exact")
EPOCHS = 2
BATCH = 2
TRANSFORM = v1.Compose([v1.RandomResizedCrop(8), v1.PILToTensor()])


def loader_of(pack: str, size: int = 22, **arguments: Any) -> fastload.DataLoader:
    dataset = Subset(fastload.ImageFolder(pack, TRANSFORM), range(size))
    return fastload.DataLoader(
        dataset, BATCH, **{"shuffle": True, "num_workers": 1, "cache": 0} | arguments
    )


BALANCED: dict[str, dict[str, Any]] = {
    "class": {"balance": "class", "epoch_length": 23},
    "progressive": {"balance": "progressive:2", "max_repeats": 4},
    "weights": {"balance": {"ant": 1.0, "bee": 0.5, "cat": 0.0, "dog": 3.0}, "epoch_length": 7},
    "batches of classes": {"balance": "sqrt", "per_batch": (2, 3), "epoch_length": 45},
    "one batch": {"per_batch": (3, 2), "epoch_length": 6},
}


class Labelled(TensorDataset):
    """What is not made of packs: samples that are their own number, with classes."""

    def __init__(self) -> None:
        super().__init__(torch.arange(22))
        self.targets = [0] * 9 + [1] * 6 + [2] * 2 + [3] * 5
        self.classes = ["ant", "bee", "cat", "dog"]


def balanced_loader(pack: str, name: str, packed: bool, **arguments: Any) -> fastload.DataLoader:
    batch_size = 1 if "per_batch" in BALANCED[name] else BATCH
    dataset: Any = fastload.ImageFolder(pack, TRANSFORM) if packed else Labelled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fastload.DataLoader(
            dataset, batch_size, **{"num_workers": 0, "cache": 0} | BALANCED[name] | arguments
        )


def told(batch: Any) -> list[str]:
    if len(batch) == 1:
        return [str(sample) for sample in batch[0].tolist()]
    images, labels = batch
    return [
        f"{image.numpy().tobytes().hex()[:64]} {int(label)}"
        for image, label in zip(images, labels, strict=True)
    ]


def in_step() -> None:
    """What ranks with another number of steps would hang in."""
    distributed.all_reduce(torch.ones(1))


def shares(pack: str) -> Any:
    """All ways to divide, each with the seed that the first rank has drawn."""
    found: dict[str, Any] = {}
    for size in SIZES:
        for uneven in UNEVEN:
            for drop_last in (False, True):
                loader = loader_of(pack, size, uneven=uneven, drop_last=drop_last)
                epochs = []
                for _ in range(EPOCHS):
                    steps = []
                    for batch in loader:
                        steps.append(told(batch))
                        if uneven != "exact" or drop_last:
                            in_step()
                    assert len(steps) == len(loader)
                    epochs.append(steps)
                found[f"{size} {uneven} {drop_last}"] = {"seed": loader.seed, "epochs": epochs}
    return found


def balanced(pack: str) -> Any:
    """Balanced epochs, of packs and of other datasets."""
    found: dict[str, Any] = {}
    for name in BALANCED:
        for packed, uneven, drop_last in product((True, False), UNEVEN, (False, True)):
            loader = balanced_loader(pack, name, packed, uneven=uneven, drop_last=drop_last)
            epochs = []
            for _ in range(EPOCHS):
                epochs.append([told(batch) for batch in loader])
                assert len(epochs[-1]) == len(loader)
            found[f"{name} {packed} {uneven} {drop_last}"] = {"seed": loader.seed, "epochs": epochs}
            if uneven != "exact":
                in_step()
    return found


def balanced_resumed(pack: str) -> Any:
    """The state that one process has saved between two batches of classes."""
    loader = balanced_loader(pack, "batches of classes", packed=True)
    loader.load_state_dict(json.loads(Path(os.environ["BALANCED_STATE"]).read_text()))
    return [[told(batch) for batch in loader] for _ in range(EPOCHS)]


def balanced_refused(pack: str) -> Any:
    """Ranks that balance otherwise: all but the first one say so."""
    rank, said = distributed.get_rank(), []
    for packed in (True, False):
        loader = balanced_loader(pack, "class", packed, balance="sqrt" if rank else "class")
        try:
            said.append(len(list(loader)))
        except RanksError as error:
            said.append(str(error))
    return said


def with_workers(pack: str) -> Any:
    """Torch's own worker processes, kept from epoch to epoch, and a sampler of the user's."""
    sampler = fastload.BalancedSampler(Labelled().targets, "class", seed=9)
    loader = fastload.DataLoader(
        Labelled(), BATCH, sampler=sampler, num_workers=1, persistent_workers=True
    )
    return [[told(batch) for batch in loader] for _ in range(EPOCHS)]


def resumed(pack: str) -> Any:
    """The state of one process, loaded by all ranks."""
    loader = loader_of(pack)
    loader.load_state_dict(json.loads(Path(os.environ["STATE"]).read_text()))
    return {"seed": loader.seed, "steps": [told(batch) for batch in loader]}


def made_before(loader: fastload.DataLoader, length: int) -> Any:
    """A loader that is older than the process group."""
    return {"before": length, "steps": len(loader), "served": len(list(loader))}


def alone(pack: str) -> Any:
    """The first rank looks into a loader before the others do, and one rank takes a whole one."""
    loader, rank = loader_of(pack), distributed.get_rank()
    if rank == 0:
        next(iter(loader))
    distributed.barrier()
    loader.set_epoch(0)
    share = [told(batch) for batch in loader]
    whole: Any = []
    if rank == 1:
        whole = [told(batch) for batch in loader_of(pack, seed=1, rank=0, world_size=1)]
    return {"share": share, "whole": whole}


def refused(pack: str) -> Any:
    """Ranks that differ: all but the first one say in what."""
    rank = distributed.get_rank()
    others: list[dict[str, Any]] = [
        {"seed": rank},
        {"shuffle": rank == 0},
        {"uneven": "drop" if rank else "pad"},
        {"size": 22 - rank},
    ]
    said = []
    for arguments in others:
        loader = loader_of(pack, **arguments)
        try:
            said.append(len(list(loader)))
        except RanksError as error:
            said.append(str(error))
    loader = loader_of(pack)
    if rank:
        loader.set_epoch(3)
    try:
        said.append(len(list(loader)))
    except RanksError as error:
        said.append(str(error))
    return said


def users_own(pack: str) -> Any:
    """A sampler that divides the epoch is not divided again."""
    sampler: Any = DistributedSampler(range(22), shuffle=False)
    dataset = fastload.ImageFolder(pack, v1.Compose([v1.CenterCrop(8), v1.PILToTensor()]))
    loader = fastload.DataLoader(dataset, BATCH, sampler=sampler, seed=1)
    return [told(batch) for batch in loader]


def main(pack: str, output: str, *chosen: str) -> None:
    torch.manual_seed(100 + int(os.environ["RANK"]))
    older = loader_of(pack)
    length = len(older)
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    scenarios = {
        one.__name__: one
        for one in (
            *(shares, resumed, alone, refused, users_own),
            *(balanced, balanced_resumed, balanced_refused, with_workers),
        )
    }
    found = {"made_before": made_before(older, length)}
    found |= {name: scenarios[name](pack) for name in chosen}
    Path(output, f"{rank}.json").write_text(json.dumps(found))
    # The first rank keeps the store that the others read.
    distributed.barrier()
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
