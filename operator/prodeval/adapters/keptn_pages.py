"""Lists of Keptn's API, newest first, page by page, within bounds of items, bytes, requests and time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from prodeval.domain.errors import KeptnUnavailableError
from prodeval.domain.json_values import JSON, as_text

MEBIBYTE = 1024 * 1024
LARGEST_PAGE = 3 * MEBIBYTE // 2
"""Bytes of an answer that are read. Keptn's own bus carries events of 1 MiB at most; the worst page takes less than
64 MiB of memory while it is parsed."""

_SIZES = (100, 20, 5, 1)
"""How many items to ask for: Keptn allows 100; fewer where so many make too large a page."""

_LONGEST_KEY = 19
_T = TypeVar("_T")


class PageTooLargeError(KeptnUnavailableError):
    """So many items make too large a page; fewer may do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may cost at most.

    Attributes:
        size: bytes of all its pages, read from the network or kept in memory, whichever are more.
        requests: pages, those that were too large included.
    """

    items: int = 10_000
    size: int = 32 * MEBIBYTE
    requests: int = 100
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """One answer.

    Attributes:
        following: what Keptn says about the offset of the next page.
        size: as in Limits.
        answered: by Keptn's clock.
    """

    items: Sequence[_T]
    following: JSON
    size: int
    answered: datetime | None

    @property
    def is_last(self) -> bool:
        """Whether Keptn says so; it leaves the offset out, other lists of it write 0."""
        return self.following in (None, "", "0", 0)


@dataclass(frozen=True, slots=True)
class PagedList(Generic[_T]):
    """All pages that were read.

    Attributes:
        items: newest first; what arrives meanwhile moves the rest to later pages, so that some may come twice.
        complete: False if there may be more.
        answered: of the first page.
    """

    items: tuple[_T, ...]
    complete: bool
    answered: datetime | None


class PageReader(Generic[_T]):
    """Reads one list.

    Args:
        ask: gives a page of at most so many items from an offset on, within so many seconds; raises PageTooLargeError,
            KeptnUnavailableError.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        ask: Callable[[int, int, float], Page[_T]],
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._limits, self._clock = ask, limits, clock
        self._pages: list[Page[_T]] = []
        self._offset, self._page_size = 0, min(_SIZES[0], limits.items)
        self._size = self._requests = 0
        self._left_out = self._reached_end = self._ended = False

    def read(self) -> PagedList[_T]:
        """Read all pages, or as many as the limits allow; raises KeptnUnavailableError if there is not even one.

        After the first page an error ends the list, unless the API as a whole is away.
        """
        ends = self._clock() + self._limits.seconds
        while not self._ended and self._within_limits() and (left := ends - self._clock()) > 0:
            self._turn(left)
        if not self._pages:
            raise KeptnUnavailableError("Keptn's answers are too large or too slow to be read")
        items = tuple(item for page in self._pages for item in page.items)
        return PagedList(items, self._reached_end and not self._left_out, self._pages[0].answered)

    def _within_limits(self) -> bool:
        limits = self._limits
        return self._offset < limits.items and self._size < limits.size and self._requests < limits.requests

    def _turn(self, seconds: float) -> None:
        self._requests += 1
        try:
            self._take(self._ask(self._offset, self._page_size, seconds))
        except PageTooLargeError:
            self._size += LARGEST_PAGE
            self._ask_for_less()
        except KeptnUnavailableError as error:
            if error.everywhere or not self._pages:
                raise
            self._ended = True

    def _take(self, page: Page[_T]) -> None:
        self._pages.append(page)
        self._size += page.size
        following = _offset(page.following)
        self._reached_end = page.is_last
        self._ended = self._reached_end or following <= self._offset
        self._offset = following
        self._page_size = self._fitting(page.size // max(len(page.items), 1))

    def _fitting(self, item_size: int) -> int:
        """How many such items fit into a page."""
        fitting = (size for size in _SIZES if size * item_size <= LARGEST_PAGE)
        return min(next(fitting, _SIZES[-1]), self._limits.items)

    def _ask_for_less(self) -> None:
        """Ask for a smaller page next; one item that is too large alone is left out."""
        smaller = [size for size in _SIZES if size < self._page_size]
        if smaller:
            self._page_size = smaller[0]
        else:
            self._offset += 1
            self._left_out = True


def _offset(value: JSON) -> int:
    """The offset of the next page; 0 if it is none."""
    text = str(value) if isinstance(value, int) else as_text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_KEY else 0
