"""Draws and permutations against Philox4x32-10 and Lemire's method written out in NumPy."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastload.native.library import NativeCode, NativeError, permutation, philox

MASK = np.uint64(0xFFFFFFFF)
WORD = np.uint64(32)


def plain_philox(counter: npt.NDArray[np.uint64], key: tuple[int, int]) -> npt.NDArray[np.uint32]:
    """Philox4x32-10 of counters (n, 4): Salmon et al., SC 2011, section 3."""
    c0, c1, c2, c3 = counter.astype(np.uint64).T
    k0, k1 = key
    for _ in range(10):
        left, right = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (right >> WORD) ^ c1 ^ np.uint64(k0),
            right & MASK,
            (left >> WORD) ^ c3 ^ np.uint64(k1),
            left & MASK,
        )
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def plain_draws(
    seed: int, epoch: int, positions: list[int], stream: int, blocks: int
) -> npt.NDArray[np.uint32]:
    counters = [
        (p & 0xFFFFFFFF, p >> 32 | stream << 16, epoch, block)
        for p in positions
        for block in range(blocks)
    ]
    words = plain_philox(np.array(counters, np.uint64), (seed & 0xFFFFFFFF, seed >> 32))
    return words.reshape(len(positions), blocks, 4)


def plain_permutation(seed: int, epoch: int, n: int) -> list[int]:
    def stream() -> Iterator[int]:
        group = 0
        while True:
            yield from plain_draws(seed, epoch, [group], 0xFFFF, 1).ravel().tolist()
            group += 1

    words = stream()
    places = list(range(n))
    for bound in range(n, 1, -1):
        product = next(words) * bound
        while product & 0xFFFFFFFF < 2**32 % bound:
            product = next(words) * bound
        partner = product >> 32
        places[bound - 1], places[partner] = places[partner], places[bound - 1]
    return places


# Published with Random123 (kat_vectors).
@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (
            [0xFFFFFFFF] * 4,
            (0xFFFFFFFF, 0xFFFFFFFF),
            [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
        ),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            (0xA4093822, 0x299F31D0),
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_known_answers(counter: list[int], key: tuple[int, int], expected: list[int]) -> None:
    assert plain_philox(np.array([counter], np.uint64), key).tolist() == [expected]
    position = counter[0] | (counter[1] & 0xFFFF) << 32
    block, stream = counter[3], counter[1] >> 16
    if stream < 0xFFFF and block < 3:  # what the packing can reach
        seed = key[0] | key[1] << 32
        words = philox(seed, counter[2], np.array([position]), stream, block + 1)
        assert words[0, block].tolist() == expected


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**64 - 1),
    epoch=st.integers(0, 2**32 - 1),
    positions=st.lists(st.integers(0, 2**48 - 1), min_size=1, max_size=9),
    stream=st.integers(0, 0xFFFE),
    blocks=st.integers(1, 4),
)
def test_draws_are_the_formula(
    seed: int, epoch: int, positions: list[int], stream: int, blocks: int
) -> None:
    words = philox(seed, epoch, np.array(positions), stream, blocks)
    assert np.array_equal(words, plain_draws(seed, epoch, positions, stream, blocks))


def test_draws_are_even() -> None:
    words = philox(1, 2, np.arange(50_000), blocks=2).ravel()
    counts = np.bincount(words >> 24, minlength=256)
    expected = words.size / 256
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert 170 < chi_square < 360  # 255 degrees of freedom, beyond the 0.01 % points


def test_no_position_and_no_block() -> None:
    assert philox(0, 0, np.array([], np.int64)).shape == (0, 1, 4)
    assert philox(0, 0, np.arange(3), blocks=0).shape == (3, 0, 4)


@pytest.mark.parametrize(
    ("epoch", "position", "stream"),
    [(2**32, 0, 0), (0, -1, 0), (0, 2**48, 0), (0, 0, 0xFFFF)],
)
def test_what_does_not_fit_is_refused(epoch: int, position: int, stream: int) -> None:
    with pytest.raises(NativeError) as caught:
        philox(0, epoch, np.array([position]), stream)
    assert caught.value.code == NativeCode.BAD_ARGUMENT


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 127, 128, 129, 1000])
def test_permutation_is_fisher_yates(n: int) -> None:
    assert permutation(12345678901234567890, 3, n).tolist() == plain_permutation(
        12345678901234567890, 3, n
    )


@pytest.mark.parametrize(
    "n", [*range(65), 255, 256, 257, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1_280_000]
)
def test_permutation_is_bijective(n: int) -> None:
    order = permutation(7, 1, n)
    assert order.dtype == np.int64
    assert np.array_equal(np.sort(order), np.arange(n))


def test_seeds_and_epochs_give_orders_of_their_own() -> None:
    orders = {permutation(s, e, 50).tobytes() for s in (0, 1, 2**32, 2**63) for e in range(4)}
    assert len(orders) == 16


def test_permutation_has_no_memory_of_places() -> None:
    """Mean and correlation of where elements go, within four standard deviations."""
    n = 100_000
    order = permutation(11, 0, n)
    correlation = np.corrcoef(order, np.arange(n))[0, 1]
    assert abs(correlation) < 4 / np.sqrt(n)
    fixed = np.count_nonzero(order == np.arange(n))
    assert fixed < 8  # Poisson of mean 1


def test_an_epoch_of_imagenet_is_ordered_in_no_time() -> None:
    seconds = []
    for epoch in range(5):
        start = time.perf_counter()
        permutation(0, epoch, 1_280_000)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1
