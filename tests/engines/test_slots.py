"""Memory comes back when nobody looks at it, and never before."""

from __future__ import annotations

import gc
import pickle
import threading

import torch

from fastload.engines.slots import Slots


def address(tensor: torch.Tensor) -> int:
    return tensor.data_ptr()


def lend(slots: Slots, size: int) -> torch.Tensor:
    return torch.from_numpy(slots.take(size))


def test_memory_is_used_again() -> None:
    slots = Slots(spare=2)
    first = lend(slots, 1000)
    where = address(first)
    assert where % 64 == 0
    del first
    assert address(lend(slots, 1000)) == where


def test_memory_in_use_is_never_lent_again() -> None:
    slots = Slots(spare=2)
    whole = lend(slots, 1000)
    kept = whole.view(torch.float32)[3:5]
    where = address(whole)
    del whole
    gc.collect()
    others = [lend(slots, 1000) for _ in range(4)]
    assert all(address(other) != where for other in others)
    as_numpy = kept.numpy()
    del kept
    assert address(lend(slots, 1000)) != where
    del as_numpy
    assert address(lend(slots, 1000)) == where


def test_a_smaller_batch_takes_a_part() -> None:
    slots = Slots(spare=2)
    first = lend(slots, 1000)
    where = address(first)
    del first
    last = lend(slots, 600)
    assert address(last) == where and last.numel() == 600


def test_no_more_than_the_spare_ones_are_kept() -> None:
    slots = Slots(spare=1)
    batches = [lend(slots, 1000) for _ in range(5)]
    del batches
    assert len(slots._free) == 1
    slots.clear()
    assert not slots._free


def test_memory_of_another_size_is_let_go() -> None:
    slots = Slots(spare=2)
    small = lend(slots, 1000)
    large = lend(slots, 5000)
    del small
    assert not slots._free
    del large
    assert len(slots._free) == 1
    assert lend(slots, 1000).numel() == 1000
    assert all(len(memory) == 1000 for memory in slots._free)


def test_tensors_may_die_in_any_thread() -> None:
    slots = Slots(spare=4)

    def work() -> None:
        for _ in range(200):
            tensor = lend(slots, 256)
            tensor.fill_(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(slots._free) <= 4


def test_a_pickled_ring_starts_empty() -> None:
    slots = Slots(spare=3)
    lend(slots, 100)
    again = pickle.loads(pickle.dumps(slots))
    assert again._spare == 3 and not again._free
