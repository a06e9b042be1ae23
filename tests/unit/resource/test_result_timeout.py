from datetime import timedelta

import pytest

from prodeval.domain.resource import read_resource
from prodeval.domain.result_timeout import default_timeout, result_timeout


def resource(status=None, **spec):
    return read_resource(
        {
            "metadata": {"namespace": "team-a", "name": "hello"},
            "spec": {"project": "fulltour", "service": "helloservice", **spec},
            "status": status or {},
        }
    )


FOUND = {"resolved": {"resultTimeout": "1h30m"}}


def test_the_spec_counts_first_then_what_the_last_sync_found_then_half_an_hour():
    assert result_timeout(resource(FOUND, resultTimeout="5m")) == timedelta(minutes=5)
    assert result_timeout(resource(FOUND)) == timedelta(minutes=90)
    assert result_timeout(resource()) == timedelta(minutes=30)
    assert result_timeout(resource({"resolved": {"resultTimeout": "soon"}})) == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("delay", "poll", "minutes"),
    [("", 0, 30), ("10m", 0, 40), ("10m", 3600, 100), ("soon", 0, 30), ("1000h", 0, 7 * 24 * 60), ("", -60, 30)],
)
def test_the_default_is_half_an_hour_and_what_the_gate_adds(delay, poll, minutes):
    assert default_timeout(triggered_after=delay, poll_seconds=poll) == timedelta(minutes=minutes)
