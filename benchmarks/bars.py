"""What fastload promises, and whether a run's figures keep it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measurement import Measurement
from benchmarks.suites import OURS


@dataclass(frozen=True)
class Verdict:
    """A bar's figure in one run: its median and spread over the rounds, or why there is none."""

    values: tuple[float, ...] = ()
    held: bool = False
    missing: str = ""

    @property
    def value(self) -> float:
        """The median over the rounds."""
        return median(self.values)


def of(measurements: Iterable[Measurement], suite: str, peer: str) -> list[Measurement]:
    """A peer's entrants in a suite, those with figures."""
    return [
        m
        for m in measurements
        if m.suite == suite and m.job.peer == peer and m.rates and not m.error
    ]


def best(entrants: Sequence[Measurement]) -> Measurement:
    """The fastest by its median."""
    return max(entrants, key=lambda m: median(m.rates))


@dataclass(frozen=True)
class AtLeast:
    """Ours is this many times as fast as the peer's best setting; one ratio a round."""

    what: str
    suite: str
    peer: str
    times: float
    ours: str = OURS

    @property
    def promise(self) -> str:
        """The bound in words."""
        return f">= {self.times:.3g} times"

    def judge(self, measurements: Sequence[Measurement]) -> Verdict:
        """Compare the run's figures with the bound."""
        ours, theirs = (of(measurements, self.suite, peer) for peer in (self.ours, self.peer))
        if not (ours and theirs):
            return Verdict(missing=f"no figures of {self.peer if ours else self.ours}")
        pairs = zip(best(ours).rates, best(theirs).rates, strict=True)
        ratios = tuple(our / their for our, their in pairs)
        return Verdict(ratios, median(ratios) >= self.times)


@dataclass(frozen=True)
class AtMost:
    """A figure of ours must not exceed a limit; ``figure`` is an attribute of ``Measurement``."""

    what: str
    suite: str
    figure: str
    limit: float
    unit: str
    ours: str = OURS

    @property
    def promise(self) -> str:
        """The bound in words."""
        return f"<= {self.limit:g} {self.unit}"

    def judge(self, measurements: Sequence[Measurement]) -> Verdict:
        """Compare the run's figures with the bound."""
        ours = of(measurements, self.suite, self.ours)
        if not ours:
            return Verdict(missing=f"no figures of {self.ours}")
        values = tuple(getattr(best(ours), self.figure))
        return Verdict(values, median(values) <= self.limit)


@dataclass(frozen=True)
class BytesAtMost:
    """Ours takes at most this many times the peer's bytes on disk."""

    what: str
    suite: str
    peer: str
    times: float
    ours: str

    @property
    def promise(self) -> str:
        """The bound in words."""
        return f"<= {self.times:.3g} times the bytes"

    def judge(self, measurements: Sequence[Measurement]) -> Verdict:
        """Compare the run's figures with the bound."""
        ours, theirs = (of(measurements, self.suite, peer) for peer in (self.ours, self.peer))
        if not (ours and theirs):
            return Verdict(missing=f"no figures of {self.peer if ours else self.ours}")
        ratio = ours[0].bytes / theirs[0].bytes
        return Verdict((ratio,), ratio <= self.times)


@dataclass(frozen=True)
class Scales:
    """Two threads do this many times what one does; one ratio a round."""

    what: str
    suite: str
    ours: str
    times: float

    @property
    def promise(self) -> str:
        """The bound in words."""
        return f">= {self.times:.3g} times"

    def judge(self, measurements: Sequence[Measurement]) -> Verdict:
        """Compare the run's figures with the bound."""
        by_threads = {m.job.threads: m for m in of(measurements, self.suite, self.ours)}
        if not {1, 2} <= by_threads.keys():
            return Verdict(missing=f"no figures of {self.ours} with 1 and 2 threads")
        pairs = zip(by_threads[2].rates, by_threads[1].rates, strict=True)
        ratios = tuple(two / one for two, one in pairs)
        return Verdict(ratios, median(ratios) >= self.times)


Bar = AtLeast | AtMost | BytesAtMost | Scales

BARS: tuple[Bar, ...] = (
    AtLeast("native against DALI on the CPU, best threads", "loader", "dali", 2.2),
    AtLeast("native against ImageFolder, best workers", "loader", "imagefolder", 2.8),
    AtLeast("the same, ToTensor + Normalize", "float loader", "imagefolder", 4.0),
    AtLeast("native against FFCV, JPEG q95", "loader", "ffcv", 3.0),
    AtLeast("engine ffcv against FFCV, JPEG q95", "loader", "ffcv", 1.0, "fastload_ffcv"),
    AtLeast("the same, first epoch, compiled before", "compiled", "ffcv", 2.0, "fastload_ffcv"),
    AtLeast("Resize + CenterCrop against ImageFolder", "eval loader", "imagefolder", 2.5),
    AtLeast("dct pack against DALI on the CPU", "loader", "dali", 6.0, "fastload_dct"),
    AtLeast("dct pack against FFCV, raw pixels", "loader", "ffcv_raw", 2.0, "fastload_dct"),
    BytesAtMost("dct pack against FFCV, raw pixels", "loader", "ffcv_raw", 0.5, "fastload_dct"),
    BytesAtMost("dct pack against the JPEG pack", "loader", "fastload", 1.9, "fastload_dct"),
    AtLeast("all cached against dct pack", "loader", "fastload_dct", 0.9, "fastload_cached"),
    AtLeast("first epoch, cache on against off", "first epoch", OURS, 1 / 1.2, "fastload_filling"),
    AtLeast("equal classes, a quarter cached", "balanced", OURS, 1.8, "fastload_quarter"),
    AtMost(
        "unpack and inverse DCT of a crop",
        "coefficients",
        "microseconds",
        140,
        "us",
        "fastload_dct",
    ),
    AtLeast("PNG, cached, against ImageFolder", "PNG loader", "imagefolder", 15, "fastload_cached"),
    AtLeast(
        "DALI engine against DALI's file reader, CPU", "DALI engine", "dali", 1.2, "fastload_dali"
    ),
    AtLeast(
        "DALI engine on a dct pack against DALI's file reader, CPU",
        "DALI engine",
        "dali",
        1.2,
        "fastload_dali_dct",
    ),
    Scales("dct pack, 2 threads against 1", "threads", "fastload_dct", 1.8),
    AtLeast("lossless pack against FFCV's writer", "pack", "ffcv", 2.5),
    AtMost("resize of a mean crop", "resize of a mean crop", "microseconds", 70, "us"),
    AtLeast("the same against Pillow-SIMD", "resize of a mean crop", "pillow_simd", 1.0),
    AtLeast("resize of drawn crops against Pillow-SIMD", "resize", "pillow_simd", 1.0),
    AtMost("first batch after construction", "first batch", "first_batch", 0.3, "s"),
    AtMost("memory beyond torch, anonymous", "memory", "anonymous_megabytes", 250, "MB"),
    AtMost("memory beyond torch, with file pages", "memory", "pss_megabytes", 250, "MB"),
    # The order is 80 MB, made whole by each of the eight ranks, and each may have 100 beside it.
    AtMost("8 ranks, 10 million rows", "many rows", "pss_megabytes", 8 * 180, "MB"),
    AtMost("memory, 250 epochs broken off later", "broken off", "growth_megabytes", 10, "MB"),
    AtMost("saving a loader's state", "saving", "microseconds", 1000, "us"),
    # 1.28 million images in 0.1 s, 50 million in 5 s.
    AtMost(
        "order of 1.28 million images, equal classes", "order", "microseconds", 0.078, "us each"
    ),
    AtMost("order of 50 million images", "long order", "microseconds", 0.1, "us each"),
    # A million in a minute.
    AtMost("near-duplicates among a million hashes", "duplicates", "microseconds", 60, "us a hash"),
)
