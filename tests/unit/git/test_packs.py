"""A pack gives back exactly the objects that were put in, whole or as deltas, and nothing else."""

import hashlib
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress

import pytest
from dulwich.object_format import SHA1
from dulwich.objects import Blob
from dulwich.pack import UnpackedObject, create_delta, pack_object_header, write_pack_data
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prodeval.adapters.git.failures import BadAnswerError
from prodeval.adapters.git.packs import Pack, Raw, object_id

BLOB, OFS, REF = 3, 6, 7


def sealed(entries: Sequence[bytes]) -> bytes:
    body = b"PACK" + struct.pack(">LL", 2, len(entries)) + b"".join(entries)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def packed(contents: Sequence[bytes], bases: Sequence[int | None], *, by_offset: bool) -> bytes:
    """Each content whole, or as a delta of an earlier one."""
    entries: list[bytes] = []
    offset, offsets = 12, list[int]()
    for content, base in zip(contents, bases, strict=True):
        offsets.append(offset)
        if base is None:
            entry = bytes(pack_object_header(BLOB, None, len(content), SHA1)) + zlib.compress(content)
        else:
            delta = b"".join(create_delta(contents[base], content))
            name = bytes.fromhex(object_id(b"blob", contents[base]))
            origin: int | bytes = offset - offsets[base] if by_offset else name
            entry = bytes(pack_object_header(OFS if by_offset else REF, origin, len(delta), SHA1)) + zlib.compress(
                delta
            )
        entries.append(entry)
        offset += len(entry)
    return sealed(entries)


contents_and_bases = st.lists(st.binary(max_size=300), min_size=1, max_size=12, unique=True).flatmap(
    lambda contents: st.tuples(
        st.just(contents),
        st.tuples(*(st.none() | st.integers(0, max(0, at - 1)) if at else st.none() for at in range(len(contents)))),
    )
)


@settings(deadline=None)
@given(contents_and_bases, st.booleans())
@example(([b"", b"x"], (None, 0)), True)
def test_every_object_comes_out_as_it_went_in(
    made: tuple[list[bytes], tuple[int | None, ...]], by_offset: bool
) -> None:
    contents, bases = made
    pack = Pack(packed(contents, bases, by_offset=by_offset))
    assert len(pack) == len(contents)
    for content in contents:
        assert pack.get(object_id(b"blob", content)) == Raw(b"blob", content)
    assert pack.get("f" * 40) is None


def test_a_delta_may_stand_before_its_base() -> None:
    base, content = b"the base of it all", b"the base of it all, changed"
    delta = b"".join(create_delta(base, content))
    head = bytes(pack_object_header(REF, bytes.fromhex(object_id(b"blob", base)), len(delta), SHA1))
    whole = bytes(pack_object_header(BLOB, None, len(base), SHA1)) + zlib.compress(base)
    assert Pack(sealed([head + zlib.compress(delta), whole])).get(object_id(b"blob", content)) == Raw(b"blob", content)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.data())
def test_a_damaged_pack_is_refused_or_gives_only_what_the_ids_name(contents: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(packed(contents, [None] * len(contents), by_offset=True)[:-20])
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    damaged = bytes(whole) + hashlib.sha1(whole, usedforsecurity=False).digest()
    try:
        pack = Pack(damaged)
    except BadAnswerError:
        return
    for oid in pack._offsets:
        found = pack.get(oid.hex())
        assert found is not None
        assert found.id == oid.hex()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_pack_or_refused(body: bytes) -> None:
    head = b"PACK\0\0\0\2\0\0\0\1"
    with pytest.raises(BadAnswerError):
        Pack(head + body + b"?" * 20)
    data = head + body
    with suppress(BadAnswerError):
        assert len(Pack(data + hashlib.sha1(data, usedforsecurity=False).digest())) == 1


def test_objects_that_dulwich_packs_are_read() -> None:
    blobs = [Blob.from_string(b"content %d" % number) for number in range(3)]
    chunks: list[bytes] = []
    records = [UnpackedObject(BLOB, decomp_chunks=[blob.data], sha=blob.sha().digest()) for blob in blobs]
    write_pack_data(chunks.append, iter(records), SHA1, num_records=3)
    pack = Pack(b"".join(chunks))
    assert [pack.get(blob.id.decode()) for blob in blobs] == [Raw(b"blob", blob.data) for blob in blobs]


def test_an_object_of_the_largest_size_is_read_and_a_larger_one_refused() -> None:
    largest = bytes(16 << 20)
    assert Pack(packed([largest], [None], by_offset=True)).get(object_id(b"blob", largest)) == Raw(b"blob", largest)
    with pytest.raises(BadAnswerError, match="object of more than 16777216 bytes"):
        Pack(packed([largest + b"x"], [None], by_offset=True))


def test_a_chain_as_deep_as_git_makes_them_is_read() -> None:
    contents = [b"version %d" % number for number in range(251)]
    pack = Pack(packed(contents, [None, *range(250)], by_offset=True))
    assert pack.get(object_id(b"blob", contents[-1])) == Raw(b"blob", contents[-1])
