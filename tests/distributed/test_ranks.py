"""Processes that torchrun starts share each epoch: no hang, nothing twice, nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import product, zip_longest
from pathlib import Path
from typing import Any

import pytest
import torch

import fastload
from fastload.sample import Division
from tests.distributed import program

ROOT = Path(__file__).resolve().parents[2]


SCENARIOS = {
    2: ["shares", "alone", "refused", "users_own", "balanced", "balanced_refused", "with_workers"],
    3: ["shares", "resumed", "balanced", "balanced_resumed"],
    5: ["shares"],
}


@pytest.fixture(scope="module")
def served(small_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """What each of so many ranks was served in a scenario; all scenarios run in one go."""

    @cache
    def run(ranks: int) -> list[dict[str, Any]]:
        output = tmp_path_factory.mktemp(f"ranks{ranks}")
        loader = program.loader_of(str(small_pack), seed=5)
        next(iter(loader))
        state = output / "state.json"
        state.write_text(json.dumps(loader.state_dict()))
        of_classes = output / "balanced_state.json"
        of_classes.write_text(json.dumps(balanced_state(small_pack)))
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        arguments = [f"--nproc-per-node={ranks}", program.__file__, small_pack, output]
        result = subprocess.run(
            [*launcher, *arguments, *SCENARIOS[ranks]],
            env={
                **os.environ,
                "PYTHONPATH": path,
                "OMP_NUM_THREADS": "1",
                "STATE": str(state),
                "BALANCED_STATE": str(of_classes),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert result.returncode == 0, result.stderr
        assert result.stderr.count(f"each of its {ranks} ranks is served its own share") == 1
        return [json.loads((output / f"{rank}.json").read_text()) for rank in range(ranks)]

    return lambda ranks, scenario: [one[scenario] for one in run(ranks)]


def balanced_state(pack: Path) -> dict[str, Any]:
    """Where one process stands after three batches of classes of epoch 1."""
    loader = program.balanced_loader(str(pack), "batches of classes", packed=True, seed=6)
    loader.set_epoch(1)
    running = iter(loader)
    for _ in range(3):
        next(running)
    return loader.state_dict()


def epoch_of_one(pack: Path, size: int, seed: int, epoch: int) -> list[str]:
    """What one process serves."""
    loader = program.loader_of(str(pack), size, seed=seed)
    loader.set_epoch(epoch)
    return [sample for batch in loader for sample in program.told(batch)]


def merged(steps_of_ranks: list[list[list[str]]]) -> list[str]:
    """The samples of all ranks in the order of one process."""
    found = []
    for step in range(max(map(len, steps_of_ranks))):
        batches = [steps[step] for steps in steps_of_ranks if step < len(steps)]
        for row in range(len(batches[0])):
            found += [batch[row] for batch in batches if row < len(batch)]
    return found


@pytest.mark.parametrize("ranks", SCENARIOS)
def test_the_union_is_the_epoch_of_one_process(
    small_pack: Path, served: Callable[..., Any], ranks: int
) -> None:
    found = served(ranks, "shares")
    for size in program.SIZES:
        for uneven in program.UNEVEN:
            for drop_last in (False, True):
                shares = [rank[f"{size} {uneven} {drop_last}"] for rank in found]
                assert len({share["seed"] for share in shares}) == 1
                division = Division(program.BATCH, 0, ranks, uneven, drop_last)
                stop = division.stop(size, 0)
                for epoch in range(program.EPOCHS):
                    steps = [share["epochs"][epoch] for share in shares]
                    united = merged(steps) if stop else []
                    one = epoch_of_one(small_pack, size, shares[0]["seed"], epoch)
                    within = min(stop, size)
                    assert united[:within] == one[:within]
                    assert len(united) == stop
                    # What is repeated is the same images, drawn anew.
                    labels = [sample.split()[1] for sample in one]
                    repeated = [sample.split()[1] for sample in united[size:]]
                    assert repeated == [labels[place % size] for place in range(stop - size)]
                    assert set(united[size:]).isdisjoint(one)


def test_ranks_go_on_from_the_state_of_one_process(
    small_pack: Path, served: Callable[..., Any]
) -> None:
    found = served(3, "resumed")
    assert [rank["seed"] for rank in found] == [5, 5, 5]
    united = merged([rank["steps"] for rank in found])
    # 20 are left for three ranks: one more to be even.
    one = epoch_of_one(small_pack, 22, 5, 0)
    assert united[:20] == one[program.BATCH :] and len(united) == 21


def test_ranks_are_looked_up_when_a_pass_begins(served: Callable[..., Any]) -> None:
    assert served(2, "made_before") == [{"before": 11, "steps": 6, "served": 6}] * 2


def test_the_first_rank_waits_for_nobody(served: Callable[..., Any]) -> None:
    found = served(2, "alone")
    assert len(set(merged([rank["share"] for rank in found]))) == 22
    assert found[0]["whole"] == [] and len(sum(found[1]["whole"], [])) == 22


def test_ranks_that_differ_are_refused_by_name(served: Callable[..., Any]) -> None:
    found = served(2, "refused")
    assert found[0] == [6] * 5
    expected = [
        "serves seed 1, rank 0 0",
        "serves sampler {",
        "uneven 'drop', rank 0 'pad'",
        "serves dataset '21 samples",
        "serves epoch 3, rank 0 0",
    ]
    for said, words in zip(found[1], expected, strict=True):
        assert words in said and "Make the same loaders in the same order" in said


def test_a_sampler_that_divides_is_not_divided_again(served: Callable[..., Any]) -> None:
    found = served(2, "users_own")
    assert [len(sum(rank, [])) for rank in found] == [11, 11]
    assert len(set(merged(found))) == 22


# ---- Balanced epochs


def balanced_of_one(pack: Path, name: str, packed: bool, seed: int, epoch: int) -> list[str]:
    loader = program.balanced_loader(str(pack), name, packed, seed=seed)
    loader.set_epoch(epoch)
    return [sample for batch in loader for sample in program.told(batch)]


def merged_batches(steps_of_ranks: list[list[list[str]]]) -> list[str]:
    """The samples of all ranks in the order of one process, where each takes whole batches."""
    steps = zip_longest(*steps_of_ranks, fillvalue=())
    return [sample for step in steps for batch in step for sample in batch]


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", program.BALANCED)
def test_the_union_of_balanced_shares_is_the_epoch_of_one_process(
    small_pack: Path, served: Callable[..., Any], name: str, packed: bool, ranks: int
) -> None:
    found = served(ranks, "balanced")
    run = 6 if "per_batch" in program.BALANCED[name] else 1
    size = run if run > 1 else program.BATCH
    for uneven, drop_last in product(program.UNEVEN, (False, True)):
        shares = [rank[f"{name} {packed} {uneven} {drop_last}"] for rank in found]
        (seed,) = {share["seed"] for share in shares}
        for epoch in range(program.EPOCHS):
            steps = [share["epochs"][epoch] for share in shares]
            if uneven != "exact" or drop_last:
                assert len(set(map(len, steps))) == 1
            one = balanced_of_one(small_pack, name, packed, seed, epoch)
            united = (merged if run == 1 else merged_batches)(steps) if any(steps) else []
            stop = Division(size, 0, ranks, uneven, drop_last, run).stop(len(one), 0)
            assert len(united) == stop
            within = min(stop, len(one))
            assert united[:within] == one[:within]


def test_balanced_ranks_go_on_from_the_state_of_one_process(
    small_pack: Path, served: Callable[..., Any]
) -> None:
    found = served(3, "balanced_resumed")
    for epoch, first in ((1, 3 * 6), (2, 0)):
        one = balanced_of_one(small_pack, "batches of classes", True, 6, epoch)[first:]
        united = merged_batches([rank[epoch - 1] for rank in found])
        # Seven batches of classes, for three ranks: whole rounds.
        assert united[: len(one)] == one and len(united) % 18 == 0


def test_ranks_that_balance_otherwise_are_refused(served: Callable[..., Any]) -> None:
    first, second = served(2, "balanced_refused")
    assert first == [6, 6]
    assert all("balance" in said and "SquareRoot()" in said for said in second)


def test_balanced_ranks_with_worker_processes(served: Callable[..., Any]) -> None:
    found = served(2, "with_workers")
    sampler = fastload.BalancedSampler(program.Labelled().targets, "class", seed=9)
    for epoch in range(program.EPOCHS):
        one = [str(sample) for sample in sampler.order(epoch).tolist()]
        assert merged([rank[epoch] for rank in found]) == one


# ---- rank= and world_size=


def test_given_ranks(small_pack: Path) -> None:
    loaders = [
        program.loader_of(str(small_pack), seed=4, rank=rank, world_size=3, uneven="exact")
        for rank in range(3)
    ]
    assert [len(loader) for loader in loaders] == [4, 4, 4]
    united = merged([[program.told(batch) for batch in loader] for loader in loaders])
    assert united == epoch_of_one(small_pack, 22, 4, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rank": 1}, "rank= is given without world_size="),
        ({"world_size": 2}, "world_size= is given without rank="),
        ({"rank": 2, "world_size": 2}, "rank=2 with world_size=2: ranks count from 0"),
        ({"rank": 0, "world_size": 2}, "without seed=: each rank would draw another order"),
        ({"uneven": "even"}, "uneven is 'even': choose one of pad, drop, exact"),
        (
            {"rank": 0, "world_size": 2, "sampler": [1], "shuffle": None},
            "a sampler is given here",
        ),
    ],
)
def test_ranks_that_make_no_sense(small_pack: Path, arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        program.loader_of(str(small_pack), **arguments)


def test_ranks_need_a_pack(small_pack: Path) -> None:
    dataset = torch.utils.data.TensorDataset(torch.arange(4))
    with pytest.raises(ValueError, match="need a dataset made of packs"):
        fastload.DataLoader(dataset, rank=0, world_size=2)
    # What is in order needs no seed.
    assert len(program.loader_of(str(small_pack), rank=0, world_size=2, shuffle=False)) == 6


def test_explain_says_which_share_is_served(
    small_pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program.loader_of(str(small_pack), seed=1, rank=1, world_size=4, uneven="drop").explain()
    line = capsys.readouterr().out.splitlines()[1]
    assert line == "rank 1 of 4 (rank= and world_size=), uneven drop, 3 batches an epoch"
