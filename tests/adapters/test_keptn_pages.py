"""Reading page by page with a clock that the test moves."""

import pytest

from prodeval.adapters.keptn_pages import LARGEST_PAGE, Limits, Page, PageReader, PageTooLargeError
from prodeval.domain.errors import KeptnUnavailableError


class Server:
    """Has numbers from 0 on, each so large; each answer takes so many seconds."""

    def __init__(self, count, *, item_size=100, seconds=0.0):
        self.count, self.item_size, self.seconds = count, item_size, seconds
        self.now, self.asked = 1000.0, []

    def ask(self, offset, size, seconds):
        self.asked.append((offset, size, seconds))
        if self.seconds > seconds:
            self.now += seconds
            raise KeptnUnavailableError("late")
        self.now += self.seconds
        items = range(offset, min(offset + size, self.count))
        if len(items) * self.item_size > LARGEST_PAGE:
            raise PageTooLargeError("large")
        following = str(offset + size) if offset + size < self.count else None
        return Page(items, following, len(items) * self.item_size, None)

    def read(self, **limits):
        return PageReader(self.ask, Limits(**limits), lambda: self.now).read()


def test_all_pages_are_one_list():
    found = Server(250).read()
    assert (found.items, found.complete) == (tuple(range(250)), True)


def test_one_deadline_bounds_all_pages():
    server = Server(10_000, seconds=7.0)
    found = server.read(seconds=60.0)
    assert [seconds for *_, seconds in server.asked] == [60.0 - 7.0 * number for number in range(9)]
    assert server.now == 1060.0
    assert (len(found.items), found.complete) == (800, False)


def test_a_first_page_that_is_late_is_no_answer():
    with pytest.raises(KeptnUnavailableError, match="late"):
        Server(10, seconds=61.0).read(seconds=60.0)


def test_time_that_runs_out_with_pages_that_are_too_large_is_no_answer():
    with pytest.raises(KeptnUnavailableError, match="too large or too slow"):
        Server(100, item_size=LARGEST_PAGE, seconds=20.0).read(seconds=60.0)


@pytest.mark.parametrize(("limit", "asked"), [(20, [20]), (100, [100]), (250, [100, 100, 100])])
def test_so_many_items_are_enough(limit, asked):
    server = Server(10_000)
    found = server.read(items=limit)
    assert [size for _, size, _ in server.asked] == asked
    assert not found.complete


def test_pages_fit_what_the_items_weigh():
    server = Server(300, item_size=LARGEST_PAGE // 40)
    found = server.read(size=10**9)
    assert [size for _, size, _ in server.asked[:4]] == [100, 20, 20, 20]
    assert (found.items, found.complete) == (tuple(range(300)), True)


def test_pages_that_are_too_large_cost_what_was_read_of_them():
    server = Server(100, item_size=LARGEST_PAGE + 1)
    with pytest.raises(KeptnUnavailableError):
        server.read(size=10 * LARGEST_PAGE)
    assert len(server.asked) == 10
