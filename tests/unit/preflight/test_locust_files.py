"""Locust's own reading of its files, and ours."""

import json
import subprocess
import sys
from io import StringIO

import configargparse
import pytest

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.preflight.locust import check_python, parse_time_span, read_locust_conf
from tests.unit.preflight.upstream import JOB_CONFIG, checked, codes

CONF = """\
# load
headless = true
run-time: 1h
--users 5
host https://example.com ; the shop
[ignored]
--- ignored
only-summary
run-time = '2m'   # the last one wins
empty =
"""


def test_a_locust_conf_is_read_as_locusts_library_reads_it():
    theirs = configargparse.DefaultConfigFileParser().parse(StringIO(CONF))
    ours = read_locust_conf(CONF, path="locust.conf")

    assert {key: value for key, (value, _) in ours.items() if value} == {
        key.removeprefix("--"): value for key, value in theirs.items() if value != "" and key != "only-summary"
    }
    assert ours["run-time"] == ("2m", 9)


def test_a_line_that_is_no_setting_is_told():
    with pytest.raises(InvalidFileError, match="no setting") as refused:
        read_locust_conf("users = 5\n= 3\n", path="locust.conf")

    assert refused.value.line == 2


SPANS = [a + b + c for a in ("", "5", "90s", "2m", "1h") for b in ("", "30", "30m", "5s", " ") for c in ("", "7s", "x")]
LOCUST = """
import json, sys
from locust.util.timespan import parse_timespan
def seconds(text):
    try:
        return parse_timespan(text)
    except ValueError:
        return None
print(json.dumps([seconds(text) for text in json.load(sys.stdin)]))
"""


def test_a_time_span_is_what_locust_takes_it_for():
    # In a process of its own, since locust patches the standard library when it is imported.
    ran = subprocess.run(
        [sys.executable, "-c", LOCUST], input=json.dumps(SPANS), capture_output=True, text=True, check=True
    )

    assert [parse_time_span(text) for text in SPANS] == json.loads(ran.stdout)


@pytest.mark.parametrize(
    "text",
    ["def x(:\n", "\0", "(" * 5000, "-" * 100_000 + "1", "x = '\n", "1" * 5000, "\ufeff\ufeffx", "if 1:\nx"],
)
def test_what_python_cannot_parse_is_told_by_line_whatever_the_parser_says(text: str):
    with pytest.raises(InvalidFileError) as refused:
        check_python(text, path="basic.py")

    assert refused.value.line > 0


def test_a_file_too_large_to_parse_is_let_through():
    check_python("(" * 200_000, path="basic.py")


def test_a_python_file_is_never_run():
    check_python("raise SystemExit('ran')\n", path="basic.py")


def test_the_run_time_is_held_against_the_timeframe_and_the_executors_patience():
    def found(run_time: str, job: str = JOB_CONFIG) -> list[str]:
        return codes(checked({"locust/locust.conf": f"run-time = {run_time}\n", "job/config.yaml": job}))

    assert found("120") == []
    assert found("119s") == ["PE513"]
    assert found("5m") == []
    assert found("301") == ["PE512"]
    assert found("10m", JOB_CONFIG.replace("{name: locust,", "{name: locust, maxPollDuration: 600,")) == []


def test_a_locust_conf_that_cannot_be_read_is_found_by_line():
    (finding,) = checked({"locust/locust.conf": "users = 5\n= 3\n"})

    assert (finding.code, finding.line) == ("PE511", 2)


def test_only_python_files_below_locust_are_looked_at():
    assert codes(checked({"locust/data.txt": "(", "helm/x.py": "("})) == []
