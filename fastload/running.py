"""One pass of a loader, from its first batch to its last."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fastload.augment import Draws
from fastload.batcher import Flight
from fastload.sample import Slice
from fastload.stats import Progress
from fastload.view import View, checked_indices

if TYPE_CHECKING:
    from fastload.feed import Feed
    from fastload.loader import DataLoader
    from fastload.resuming import Place

__all__ = ["Pass"]


class Pass:
    """Keeps batches under way ahead of the consumer and hands them over in order.

    Args:
        loader: whose pass it is.
        view: the loader's samples.
        place: where in the epoch it begins; kept up to date with what is delivered.
        feed: what it serves.
    """

    def __init__(self, loader: DataLoader, view: View, place: Place, feed: Feed) -> None:
        self._loader = loader
        self._view = view
        self._place = place
        self._under_way: deque[tuple[Flight, Draws, int] | BaseException] = deque()
        self.progress = Progress(place.epoch)
        self._pipelines = loader._pipelines(view)
        use = loader._cache_use
        self._uses = None if use is None else use.begin(loader, view, loader.sampler, feed)
        self._steps = 0 if place.complete else feed.steps
        self._launched = 0
        self._closed = False
        self._seed = loader.seed or 0
        self._slices: Iterator[Slice] | None = None if place.complete else feed.slices()
        self._launch(loader._ahead)

    def __iter__(self) -> Pass:
        return self

    def __len__(self) -> int:
        return len(self._loader) if self._steps is None else self._steps

    def __next__(self) -> Any:
        while True:
            self._launch(max(1, self._loader._ahead))
            if not self._under_way:
                self._place.complete |= not self._closed
                self.progress.end()
                raise StopIteration
            launched = self._under_way.popleft()
            if isinstance(launched, BaseException):
                self.close()
                raise launched
            flight, draws, after = launched
            with self.progress.waiting():
                self._settle(flight)
            self.progress.add(len(flight), flight.facts)
            self._launch(self._loader._ahead)
            if len(flight):
                batch = self._loader._delivered(self._loader._collated(flight), draws)
                self._place.position = after
                self._place.complete = self._slices is None and not self._under_way
                return batch

    def _launch(self, wanted: int) -> None:
        """Bring the number of batches under way up to ``wanted``.

        What goes wrong is kept in its place, so that the batches before it are still served.
        """
        loader = self._loader
        while self._slices is not None and self._wants(wanted):
            try:
                indices, positions, after = next(self._slices)
                draws = Draws(self._seed, self._place.epoch, positions)
                chosen = checked_indices(indices, len(self._view))
                flight = loader._batcher.launch(
                    self._view, self._pipelines, chosen, draws, self._uses
                )
                self._under_way.append((flight, draws, after))
                self._launched += 1
            except StopIteration:
                self._slices = None
            except Exception as error:  # noqa: BLE001 (raised again in its turn)
                self._slices = None
                self._under_way.append(error)

    def _wants(self, wanted: int) -> bool:
        # Once all are launched a sampler is asked once more, for some draw when they end.
        return len(self._under_way) < wanted or self._launched == self._steps

    def _settle(self, flight: Flight) -> None:
        """Wait for a flight and do with its bad records what the user wants done."""
        loader = self._loader
        failures = flight.land(loader.timeout)
        if not failures:
            return
        if loader.on_error == "raise":
            raise next(iter(failures.values()))
        for error in failures.values():
            loader._log.add(error)
        if loader.on_error == "skip":
            flight.drop(failures)
            return
        for row, error in failures.items():
            flight.substitute(row, error)

    def close(self) -> None:
        """Stop: nothing is under way any more, and the pass is over."""
        self._closed = True
        self._slices = None
        self.progress.end()
        while self._under_way:
            launched = self._under_way.popleft()
            if not isinstance(launched, BaseException):
                launched[0].close()

    def __del__(self) -> None:
        self.close()
