from hypothesis import given
from hypothesis import strategies as st

from prodeval.service.reporting import merge_patch

values = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=2), values, max_size=4)


def apply(target, patch):
    """RFC 7386, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = apply(result.get(name), value)
    return result


@given(objects, objects)
def test_the_patch_leads_from_one_object_to_the_other(before, after):
    assert apply(before, merge_patch(before, after)) == after


@given(objects)
def test_equal_objects_need_no_patch(value):
    assert merge_patch(value, value) == {}
