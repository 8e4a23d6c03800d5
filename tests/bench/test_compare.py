from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

from fastload.bench.compare import changes, comparison
from fastload.bench.fields import ResultsError
from fastload.bench.noise import LEVEL, ratio_of
from tests.bench.documents import MACHINE, PHOTOS, at_rate, document, result


def test_noise_alone_is_rarely_a_change() -> None:
    draw = np.random.default_rng(0)
    for rounds in (5, 8, 12):
        pairs = [draw.lognormal(0, 0.3, (2, rounds)) for _ in range(1000)]
        flagged = sum(ratio_of(before, after).changed != 0 for before, after in pairs)
        assert flagged / 1000 <= 2 * LEVEL


def test_a_planted_change_is_found() -> None:
    draw = np.random.default_rng(1)
    for factor in (0.8, 1.25):
        found = []
        for _ in range(200):
            before, after = 1000 * draw.normal(1, 0.03, (2, 5)) * [[1], [factor]]
            ratio = ratio_of(before, after)
            found.append(ratio.changed == (1 if factor > 1 else -1))
            assert ratio.low <= ratio.value <= ratio.high
        assert np.mean(found) > 0.95


def test_one_slow_round_of_nine_hides_nothing() -> None:
    before = [100.0, 101, 99, 100, 102, 98, 100, 101, 100]
    after = [120.0, 121, 119, 120, 50, 118, 120, 121, 120]
    assert ratio_of(before, after).changed == 1


def test_the_interval_is_of_the_mann_whitney_test() -> None:
    """Of all orders of two samples, those whose interval leaves 1 out are at most 1 in 100."""
    for one, other in ((5, 5), (5, 6), (6, 6)):
        places = range(1, one + other + 1)
        outside = sum(
            ratio_of(chosen, [place for place in places if place not in chosen]).changed != 0
            for chosen in combinations(places, one)
        )
        assert 0 < outside / comb(one + other, one) <= LEVEL


@pytest.mark.parametrize("rounds", [1, 3, 4])
def test_few_rounds_tell_nothing(rounds: int) -> None:
    ratio = ratio_of([1.0] * rounds, [100.0] * rounds)
    assert not ratio.enough and ratio.changed == 0


def test_planted_changes_are_flagged_by_label() -> None:
    before = document([at_rate("fastload x2", 3000), at_rate("imagefolder x2", 500, seed=1)])
    after = document([at_rate("fastload x2", 2000, seed=2), at_rate("imagefolder x2", 500, seed=3)])
    found = {change.after.label: change for change in changes(before, after)}
    assert found["fastload x2"].slower and found["fastload x2"].verdict == "slower"
    assert not found["imagefolder x2"].slower
    assert found["imagefolder x2"].verdict == "within the noise"


def test_a_slow_machine_slows_all_relative_to_a_peer() -> None:
    """Rounds of one minute are slowed alike, and so is all of the second run."""
    minutes = np.random.default_rng(4).uniform(0.5, 1, (2, 5)) * [[1], [0.4]]

    def run(factors: np.ndarray, ours: float) -> list:
        return [
            result(label, seconds=tuple(4000 / (rate * factors)), cpu_seconds=())
            for label, rate in (("fastload x2", ours), ("imagefolder x2", 500.0))
        ]

    before = document(run(minutes[0], 3000.0))
    same, slower = (document(run(minutes[1], ours)) for ours in (3000.0, 2500.0))
    [plain, _] = changes(before, same)
    assert plain.slower
    [relative] = changes(before, same, "imagefolder")
    assert relative.ratio.value == pytest.approx(1) and not relative.slower
    [relative] = changes(before, slower, "imagefolder")
    assert relative.slower


def test_another_work_is_not_compared() -> None:
    before = document([at_rate("fastload x2", 3000)])
    with pytest.raises(ResultsError, match=r"batch is 128 .* and 64"):
        changes(before, document([at_rate("fastload x2", 3000, batch=64)]))
    fewer = document(
        [at_rate("fastload x2", 3000)],
        photos={"jpeg": type(PHOTOS)(**{**vars(PHOTOS), "images": 999})},
    )
    with pytest.raises(ResultsError, match=r"images is 1000 .* and 999"):
        changes(before, fewer)


def test_nothing_in_common_is_an_error() -> None:
    before, after = (document([at_rate(label, 1)]) for label in ("fastload x2", "dali x2"))
    with pytest.raises(ResultsError, match="nothing in common"):
        changes(before, after)
    with pytest.raises(ResultsError, match="beside the peer 'imagefolder'"):
        changes(before, before, "imagefolder")


def test_two_machines_are_told_apart() -> None:
    before = document([at_rate("fastload x2", 3000)])
    other = type(MACHINE)(**{**vars(MACHINE), "cpus": 64})
    after = document([at_rate("fastload x2", 9000)], machine=other, file="b|c.json")
    text = comparison(before, after, changes(before, after))
    assert "Two machines" in text and "64 usable CPUs" in text
    assert "# b\\|c.json beside run.json" in text
    assert "| loader | fastload (fastload x2) | 3.000 |" in text and "**faster**" in text
