"""Where a loader stands, as a small dictionary to save and to go on from.

A state names the next sample by its position in the epoch, counted over all ranks: what has been
delivered counts, what is computed ahead does not. Beside it stand the things that decide what
comes at that position. A position is worth nothing with another of these, so that is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastload.errors import StateError
from fastload.sample import EpochCounter

__all__ = ["Place", "Standing", "checked_state", "state_of"]

_VERSION = 1
_REMEDIES = {
    "dataset": "give the loader the pack, and the part of it, that the state was saved with",
    "transform": "give the dataset the transform that the state was saved with",
    "decode": "give the loader the decode= that the state was saved with",
    "sampler": "give the loader the sampler that the state was saved with",
    "seed": "leave seed= out, or give the one that the state was saved with",
}


@dataclass
class Place:
    """A place in a loader's endless run of epochs.

    Attributes:
        epoch: which one.
        position: how many of its positions all ranks have served.
        complete: whether they are all that are served.
        point: of a sampler of the user's, what makes it give this epoch's order again; None where
            nothing does.
        identity: what decided the samples of this epoch; None where it has not begun.
    """

    epoch: int = 0
    position: int = 0
    complete: bool = False
    point: dict[str, Any] | None = field(default_factory=dict)
    identity: dict[str, Any] | None = None


class Standing:
    """Follows a loader from pass to pass.

    Args:
        epochs: the loader's counter.
    """

    def __init__(self, epochs: EpochCounter) -> None:
        self._epochs = epochs
        self._latest = Place()
        self._loaded = False

    def now(self) -> Place:
        """Where the loader stands: in the latest pass, or before the next one."""
        if self._epochs.told and self._epochs.next != self._latest.epoch:
            return Place(self._epochs.next)
        return self._latest

    @property
    def loaded(self) -> bool:
        """Whether a state was loaded, and no pass has begun since."""
        return self._loaded

    def load(self, place: Place) -> None:
        """Let the next pass go on from a place.

        After the end of an epoch that is the next epoch, unless the loader is told otherwise.
        """
        self._latest = place
        self._loaded = True
        self._epochs.set(place.epoch + place.complete)
        self._epochs.told = False

    def begin(self, point: dict[str, Any] | None, identity: dict[str, Any]) -> Place:
        """The place where the pass that begins now begins; it is to be kept up to date."""
        epoch, before = self._epochs.take(), self._latest
        place = Place(epoch, 0, False, point, identity)
        if self._loaded and before.epoch == epoch:
            place.position, place.complete = before.position, before.complete
        self._latest, self._loaded = place, False
        return place


def state_of(
    place: Place, identity: dict[str, Any], point: dict[str, Any] | None
) -> dict[str, Any]:
    """What is saved of a place.

    Args:
        place: where the loader stands.
        identity: what decides the samples behind it.
        point: what makes a sampler of the user's give its order again.
    """
    return {
        "version": _VERSION,
        "epoch": place.epoch,
        "position": place.position,
        "complete": place.complete,
        "sampler_state": point,
        **identity,
    }


def checked_state(state: Any, here: dict[str, Any], ranks: int, *, seed_given: bool) -> Place:
    """The place that a state tells of.

    Args:
        state: what was saved.
        here: the loader's own identity.
        ranks: how many take a share of the epoch.
        seed_given: whether the user has given the seed, so that the state's cannot take its place.

    Raises:
        StateError: it is no state, or not one of this loader's; the message names the difference.
    """
    if not isinstance(state, dict) or state.get("version") != _VERSION:
        version = state.get("version") if isinstance(state, dict) else type(state).__name__
        raise StateError(
            f"This is no state of this fastload's DataLoader (version {version!r} instead of "
            f"{_VERSION}): load what its state_dict() gave."
        )
    for name, remedy in _REMEDIES.items():
        if name == "seed" and not seed_given:
            continue
        if state.get(name) != here[name]:
            raise StateError(
                f"The state was saved with {name} {_shown(state.get(name))}, this loader has "
                f"{_shown(here[name])}: {remedy}."
            )
    place = Place(state["epoch"], state["position"], state["complete"], state["sampler_state"])
    if place.complete or place.position == 0:
        return place
    if place.point is None:
        raise StateError(
            f"The state was saved in the midst of epoch {place.epoch}, and nothing tells what "
            f"{_shown(here['sampler'])} gave in it: give it a generator= of its own (torch's "
            "random samplers take one), use shuffle=True instead of a sampler, or save between "
            "epochs."
        )
    if place.point and place.position % ranks:
        raise StateError(
            f"The state was saved after {place.position} samples of all ranks, which {ranks} ranks "
            "of this sampler cannot have served: resume with as many ranks as before, or use "
            "shuffle=True instead of a sampler."
        )
    return place


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={_shown(part)}" for name, part in value.items())
    return repr(value)
