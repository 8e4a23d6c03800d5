"""A program for torchrun: one of several processes that train together, and what it has seen.

python -m torch.distributed.run ... ranks.py PACK FOLDER

FOLDER/RANK.json says what each process found; FOLDER/whole and FOLDER/killed are runs.
"""

from __future__ import annotations

import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn

from train_ref import training
from train_ref.config import Config
from train_ref.distributed import (
    agreed_text,
    any_rank,
    first_before_others,
    gather_rows,
    is_first,
    joined,
    mean_over_ranks,
    share_buffers,
)
from train_ref.run import train
from train_ref.run_folder import RunFolder

# The step after which the copy of the run is made that goes on.
KILLED_AT = 3


def settings(pack: str) -> Config:
    return Config(
        data=pack,
        val=0.2,
        model="tiny",
        epochs=2,
        batch_size=4,
        accumulate=2,
        dropout=0.3,
        ema=0.8,
        mixup=0.3,
        balance="sqrt",
        save_every=1,
        workers=1,
        cache="0",
        device="cpu",
    )


def told(rank: int, folder: Path) -> dict[str, Any]:
    gathered = {
        count: gather_rows(torch.arange(count)[rank::2, None].expand(-1, 3)).tolist()
        for count in (7, 2, 1, 0)
    }
    norm = nn.BatchNorm1d(2)
    norm.running_mean.fill_(rank + 1)
    share_buffers(norm)
    with first_before_others():
        order = folder / "order"
        order.write_text((order.read_text() if order.exists() else "") + str(rank))
    return {
        "gathered": gathered,
        "any": [any_rank(rank == 1), any_rank(False)],
        "mean": mean_over_ranks(torch.tensor([float(rank), 4.0])).tolist(),
        "text": agreed_text(f"훼손 of {rank}"),
        "buffer": norm.running_mean.tolist(),
    }


def run_twice(pack: str, folder: Path, place: Any) -> list[dict[str, float]]:
    plain_save = training.save_state

    def save(path: Path, state: dict[str, Any]) -> None:
        plain_save(path, state)
        if path.name == "last.pt" and state["step"] == KILLED_AT:
            shutil.copytree(path.parent, folder / "killed", dirs_exist_ok=True)

    training.save_state = save
    whole = train(settings(pack), RunFolder(folder / "whole"), place, goes_on=False)
    training.save_state = plain_save
    distributed.barrier()
    return [whole, train(settings(pack), RunFolder(folder / "killed"), place, goes_on=True)]


def main() -> None:
    warnings.simplefilter("ignore")
    pack, folder = sys.argv[1], Path(sys.argv[2])
    with joined("cpu") as place:
        found = told(place.rank, folder)
        found["first"] = is_first()
        found["results"] = run_twice(pack, folder, place)
        (folder / f"{place.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
