"""What servers mean by refusing a branch: words collected from Git and from the hosts that people use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodeval.adapters.git.failures import clean
from prodeval.adapters.git.verdicts import Refusal, meaning
from prodeval.domain.masking import Mask


@pytest.mark.parametrize(
    "reason",
    [
        "failed to update ref",
        "non-fast-forward",
        "fetch first",
        "cannot lock ref 'refs/heads/main': is at 1 but expected 2",
        "atomic push failure",
        "atomic transaction failed",
        "incorrect old value provided",
        "failed to lock",
        "TF401028: The reference 'refs/heads/main' has already been updated by another client.",
        "stale info",
    ],
)
def test_somebody_was_faster(reason: str) -> None:
    assert meaning(reason) is Refusal.RACE


@pytest.mark.parametrize(
    "reason",
    [
        "pre-receive hook declined",
        "hook declined",
        "protected branch hook declined",
        "push declined due to repository rule violations",
        "prohibited by Gerrit: not permitted: update",
        "TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.",
        "GH006: Protected branch update failed",
        "commits must have verified signatures",
        "you are not allowed to push",
        "permission denied",
    ],
)
def test_a_rule_of_the_server(reason: str) -> None:
    assert meaning(reason) is Refusal.FORBIDDEN


def test_other_words_need_a_look() -> None:
    assert meaning("internal error, see the log") is Refusal.UNCLEAR


@given(st.text() | st.binary())
def test_foreign_words_become_one_printable_line(words: str | bytes) -> None:
    cleaned = clean(words, Mask())
    assert "\n" not in cleaned
    assert "\x1b" not in cleaned
    assert all(char.isprintable() for char in cleaned)
    assert len(cleaned) <= 500


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_secret_is_taken_out_of_foreign_words(before: str, after: str) -> None:
    mask = Mask()
    mask.learn("s3cr3t")
    assert "s3cr3t" not in clean(f"{before}s3cr3t{after}", mask)


def test_colours_and_control_characters_go_and_the_words_stay() -> None:
    assert (
        clean(b"\x1b[31mremote:\x1b[0m no\x07\r\n  pushing\x00 today \xff", Mask()) == "remote: no pushing today \ufffd"
    )
