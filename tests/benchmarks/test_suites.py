from __future__ import annotations

from benchmarks.peers import PEERS
from benchmarks.suites import LOADER, SUITES


def test_imagefolder_and_dali_are_tried_at_every_promised_setting() -> None:
    assert {f"imagefolder x{workers}" for workers in range(5)} <= LOADER.jobs().keys()
    assert {f"dali x{threads}" for threads in range(1, 5)} <= LOADER.jobs().keys()


def test_a_smoke_run_has_every_peer_of_a_suite_once() -> None:
    for suite in SUITES.values():
        usual = [job.peer for label, job in suite.jobs().items() if suite.usual(label)]
        assert sorted(usual) == sorted({job.peer for job in suite.jobs().values()})


def test_every_entrant_is_a_known_peer_with_a_label_of_its_own() -> None:
    for suite in SUITES.values():
        assert len(suite.jobs()) == len(suite.entrants)
        assert {peer for peer, _ in suite.entrants} <= PEERS.keys()
