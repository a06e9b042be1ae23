from dataclasses import replace

import pytest

from prodeval.domain.errors import AccessDeniedError, DuplicateTargetError
from prodeval.domain.resource import Resource, ResourceKey, Target
from prodeval.domain.tenancy import Grant, check_access, check_owner

RESOURCE = Resource(
    ResourceKey("team-a", "hello"), Target("fulltour", "production", "hello"), uid="b", created="2026-01-02"
)


def test_a_granted_namespace_may_name_the_project():
    check_access(RESOURCE, {"fulltour": Grant(("team-*",))}, "keptn")


def test_the_credentials_namespace_may_name_any_project():
    check_access(replace(RESOURCE, key=ResourceKey("keptn", "hello")), {}, "keptn")


@pytest.mark.parametrize(
    ("grants", "message"),
    [
        ({}, r"add it to projects\.fulltour\.namespaces"),
        ({"fulltour": Grant(("team-b",))}, r"add it to projects\.fulltour\.namespaces"),
        ({"fulltour": Grant(("team-a",), ("other",))}, r"add it to projects\.fulltour\.services"),
    ],
)
def test_what_is_not_granted_is_refused_with_the_remedy(grants, message):
    with pytest.raises(AccessDeniedError, match=message):
        check_access(RESOURCE, grants, "keptn")


@pytest.mark.parametrize(
    "older",
    [replace(RESOURCE, uid="z", created="2026-01-01"), replace(RESOURCE, uid="a", created="2026-01-02")],
)
def test_the_oldest_owns_the_target_then_the_lowest_uid(older):
    older = replace(older, key=ResourceKey("team-b", "first"))
    with pytest.raises(DuplicateTargetError, match="already judged by team-b/first"):
        check_owner(RESOURCE, [older])
    check_owner(older, [RESOURCE])


def test_another_target_is_no_rival():
    check_owner(
        RESOURCE, [replace(RESOURCE, target=Target("fulltour", "production", "other"), uid="a", created="2020")]
    )
