"""YAML as node trees: the first document, with places, and never more than is good for us."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.yaml_nodes import MAX_DEPTH, MAX_NODES, compose, is_null


def composed(text: str) -> yaml.Node:
    node = compose(text, path="file.yaml")
    assert node is not None
    return node


def refused(text: str) -> InvalidFileError:
    with pytest.raises(InvalidFileError) as caught:
        compose(text, path="file.yaml")
    return caught.value


def value_of(text: str) -> yaml.Node:
    [(_, node)] = composed(text).value
    return node


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n"])
def test_a_text_without_a_document_has_no_root(text: str) -> None:
    assert compose(text, path="file.yaml") is None


def test_later_documents_are_not_parsed() -> None:
    assert composed("a: 1\n---\nb: [\n").value[0][0].value == "a"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: [\n", 2, 1),
        ("a: b: c", 1, 5),
        ("\ta: 1", 1, 1),
        ("a: *b", 1, 4),
        ("k: 1\r\na: é\x07", 2, 5),
        ("a:\n  - \ud800", 2, 5),
        ("&a [*a]", 1, 5),
        ("%YAML 3.0\n---\na: 1", 1, 1),
    ],
)
def test_an_error_names_its_place(text: str, line: int, column: int) -> None:
    error = refused(text)
    assert (error.path, error.line, error.column) == ("file.yaml", line, column)


def test_a_node_knows_where_it_begins() -> None:
    mark = value_of("a:\n  - 1\n").value[0].start_mark
    assert (mark.line, mark.column) == (1, 4)


def test_two_hundred_thousand_brackets_are_refused() -> None:
    """They overflow the C stack of the parser's own composer."""
    assert refused("[" * 200_000).line == 1
    assert refused("{" * 200_000).line == 1
    assert refused("- " * 200_000).line == 1


def test_depth_is_bounded_and_the_bound_is_usable() -> None:
    assert composed("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert "inside each other" in refused("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).problem


def test_aliases_count_as_what_they_stand_for() -> None:
    doublings = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    assert f"more than {MAX_NODES} values" in refused(f"a0: &a0 [x]\n{doublings}").problem


def test_aliases_count_in_depth_too() -> None:
    chain = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200))
    assert "inside each other" in refused(f"a0: &a0 [x]\n{chain}").problem


def test_an_anchor_can_be_given_anew() -> None:
    """PyYAML refuses it, Go does not."""
    assert [value.value for _, value in composed("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").value] == ["1", "1", "2", "2"]


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL", "!!null ''", "! ~"])
def test_null_in_every_writing(text: str) -> None:
    assert is_null(value_of(f"a: {text}"))


@pytest.mark.parametrize("text", ["''", "nUll", "0", "[]", "{}", "!!str", "'null'"])
def test_what_is_not_null(text: str) -> None:
    assert not is_null(value_of(f"a: {text}"))


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%,? \n\t~\ud800\x07é"), max_size=40))
def test_nothing_but_its_own_error_leaves_it(text: str) -> None:
    try:
        compose(text, path="file.yaml")
    except InvalidFileError as error:
        assert error.line > 0  # noqa: PT017  both outcomes are right, this one has a place
