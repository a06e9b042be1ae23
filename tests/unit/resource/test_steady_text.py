import pytest

from prodeval.domain.steady_text import steady

VARIES = {
    "an object": "<HTTPConnection object at 0x7f{}8a0cdd2ad0>: refused",
    "a UUID": "operation 0a1b2c3{}-1111-2222-3333-444455556666 failed",
    "a commit": "is at {}000000000000000000000000000000000000abc but expected another",
    "a time": "since 2026-01-01T09:26:0{}.123Z",
    "a clock": "at 09:26:0{}",
    "a duration": "gave up after 1.{} s",
    "milliseconds": "took 10{}ms",
    "bytes": "IncompleteRead(10{} bytes read, 7 more expected)",
    "a count": "(429, {} times in a row)",
    "an attempt": "attempt {} failed",
    "a port": "read tcp 10.0.0.1:5222{}->10.0.0.2:27017: i/o timeout",
    "a request": "500 (Request ID: AB{}C:12)",
}


@pytest.mark.parametrize("text", VARIES.values(), ids=VARIES)
def test_what_differs_from_try_to_try_is_left_out(text):
    assert steady(text.format(1)) == steady(text.format(2))
    assert "…" in steady(text.format(1))


@pytest.mark.parametrize(
    "text",
    [
        "Keptn's API at http://127.0.0.1:1/api does not answer: no whole answer within 30 s",
        "git.example.com answered HTTP 503; will be tried again",
        "port 22 on 10.0.0.1",
        "the answer has more than 16777216 bytes",
        "Secret 'git-credentials-2' does not exist yet",
        "image registry/hello:0.1.2 took 2m",
    ],
)
def test_all_else_stays(text):
    assert steady(text) == text


def test_a_huge_text_is_cut():
    assert len(steady("0:" * 100_000)) == 4096
