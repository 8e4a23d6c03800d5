"""Work done ahead of its use by several threads, used in order."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import Executor, Future

__all__ = ["in_order"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_order(
    executor: Executor,
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
    window: int,
) -> Generator[_Result, None, None]:
    """The results of ``work`` in the order of ``items``, at most ``window`` of them ahead.

    An exception of the work is raised when its result's turn comes; what has not begun by then is
    never begun.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as executor:
    ...     list(in_order(executor, abs, [-3, 2, -1], window=2))
    [3, 2, 1]
    """
    pending: deque[Future[_Result]] = deque()
    try:
        for item in items:
            pending.append(executor.submit(work, item))
            if len(pending) >= window:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
