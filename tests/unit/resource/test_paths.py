import pytest

from prodeval.domain.errors import InvalidSpecError
from prodeval.domain.paths import Layout, check_path, is_well_known, place


@pytest.mark.parametrize("path", ["slo.yaml", "prometheus/sli.yaml", "locust/basic.py", "locust/data/users.csv"])
def test_well_known_files_may_be_written(path):
    check_path(path)
    assert is_well_known(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/slo.yaml",
        "../slo.yaml",
        "locust/../slo.yaml",
        "locust//basic.py",
        "locust/",
        "./slo.yaml",
        ".git/config",
        "locust/.hidden",
        "locust/a..b",
        "locust/~root",
        "locust/a b",
        "locust/a\nb",
        "locust/\u0430",
        "locust/" + "a" * 255,
        "-rf",
    ],
)
def test_a_path_that_may_leave_the_service_is_refused(path):
    with pytest.raises(InvalidSpecError, match="is not a path below the service"):
        check_path(path, ["*"])


@pytest.mark.parametrize("path", ["metadata.yaml", "job/config.yaml", "helm/chart.yaml", "sli.yaml", "a/b/sli.yaml"])
def test_other_files_are_refused_with_the_remedy(path):
    with pytest.raises(InvalidSpecError, match="writablePaths"):
        check_path(path)


def test_the_config_can_allow_more_but_never_keptns_own_metadata():
    check_path("job/config.yaml", ["job/*"])
    with pytest.raises(InvalidSpecError, match="may not be written"):
        check_path("metadata.yaml", ["*"])


def test_both_layouts():
    assert place(Layout.BRANCH, "production", "main").of("hello", "slo.yaml") == "hello/slo.yaml"
    where = place(Layout.DIRECTORY, "production", "main")
    assert (where.branch, where.of("hello", "slo.yaml")) == ("main", ".keptn-stages/production/hello/slo.yaml")
