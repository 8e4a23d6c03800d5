from __future__ import annotations

from benchmarks.peers import PEERS
from benchmarks.suites import LOADER, OURS, SCALING, SETS, SUITES, Suite


def test_imagefolder_and_dali_are_tried_at_every_promised_setting() -> None:
    assert {f"imagefolder x{workers}" for workers in range(5)} <= LOADER.jobs().keys()
    assert {f"dali x{threads}" for threads in range(1, 5)} <= LOADER.jobs().keys()


def test_a_smoke_run_has_every_peer_of_a_suite_once() -> None:
    for suite in SUITES.values():
        if suite.axis is not None:
            continue
        usual = [job.peer for label, job in suite.jobs().items() if suite.usual(label)]
        assert sorted(usual) == sorted({job.peer for job in suite.jobs().values()})


def test_every_entrant_is_a_known_peer_with_a_label_of_its_own() -> None:
    for suite in SUITES.values():
        places = 1 if suite.axis is None else len(suite.axis.values)
        assert len(suite.jobs()) == len(suite.entrants) * places
        assert {peer for peer, _ in suite.entrants} <= PEERS.keys()


def test_every_suite_is_of_a_set_and_the_scaling_ones_have_an_axis() -> None:
    for suite in SUITES.values():
        assert suite.part_of in SETS
        assert (suite.axis is not None) == (suite.part_of == SCALING)


def test_a_job_on_an_axis_says_where_it_stands() -> None:
    jobs = SUITES["batch sizes"].jobs()
    job = jobs["fastload x2, 512 images a batch"]
    assert (job.x, job.x_name, job.batch) == (512, "images a batch", 512)
    # As many images for the slow as make a few batches.
    assert jobs["imagefolder x2, 1,024 images a batch"].passes * 1000 >= 4 * 1024
    assert SUITES["threads"].jobs()["fastload_dct x1"].x == 1
    assert SUITES["image sizes"].jobs()["fastload x2, 64 pixels a side"].kind == "64 px"


def test_a_smoke_run_scales_over_the_two_smallest_values() -> None:
    suite = SUITES["index open"]
    assert [job.x for label, job in suite.jobs().items() if suite.usual(label)] == [1000, 10_000]


def test_the_quick_make_longer_windows_where_windows_follow_one_another() -> None:
    entrants = ((OURS, 2), ("imagefolder", 2))
    paced = Suite("paced", "load", entrants).jobs()
    assert paced["fastload x2"].passes > paced["imagefolder x2"].passes == 1
    fresh = Suite("fresh", "load", entrants, fresh=True).jobs()
    assert fresh["fastload x2"].passes == 1
    packing = Suite("packing", "pack", entrants).jobs()
    assert packing["fastload x2"].passes == 1


def test_only_what_reads_files_has_a_page_cache() -> None:
    states = {name: suite.cache_state for name, suite in SUITES.items()}
    assert states["loader"] == states["image sizes"] == "warm"
    assert states["cold loader"] == "cold"
    assert states["resize"] == states["decode"] == states["order"] == ""
