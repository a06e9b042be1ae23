import pytest

from prodeval.domain.errors import InvalidSpecError
from prodeval.domain.paths import Layout, check_path, is_well_known, is_writable_glob, place


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
        check_path(path, ["**"])


@pytest.mark.parametrize("path", ["metadata.yaml", "job/config.yaml", "helm/chart.yaml", "sli.yaml", "a/b/sli.yaml"])
def test_other_files_are_refused_with_the_remedy(path):
    with pytest.raises(InvalidSpecError, match="writablePaths"):
        check_path(path)


def test_the_config_can_allow_more_but_never_keptns_own_metadata():
    check_path("job/config.yaml", ["job/config.yaml"])
    with pytest.raises(InvalidSpecError, match="may not be written"):
        check_path("metadata.yaml", ["*", "**", "metadata.yaml"])


@pytest.mark.parametrize(
    "glob", ["*.yaml", "*/*.yaml", "job/*", "job/**", "**", "**/*", "**/config.yaml", "job/c*.yaml"]
)
def test_no_wildcard_opens_the_job_executors_config(glob):
    with pytest.raises(InvalidSpecError, match=r"'job/config\.yaml' may not be written"):
        check_path("job/config.yaml", [glob])


@pytest.mark.parametrize(
    ("glob", "opened", "closed"),
    [
        ("*.yaml", ["values.yaml"], ["helm/values.yaml", "a/b/values.yaml", "values.yml"]),
        ("helm/*", ["helm/values.yaml"], ["helm/charts/a.yaml", "helm"]),
        ("helm/**", ["helm/values.yaml", "helm/charts/a.yaml"], ["helm", "other/values.yaml"]),
        ("**/*.json", ["a.json", "a/b.json", "a/b/c.json"], ["a.yaml"]),
        ("a/**/z.txt", ["a/z.txt", "a/b/z.txt", "a/b/c/z.txt"], ["az.txt", "a/bz.txt"]),
        ("v?.txt", ["v1.txt"], ["v.txt", "v12.txt", "v/.txt"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_a_wildcard_stays_within_its_directory(glob, opened, closed):
    assert is_writable_glob(glob)
    for path in opened:
        check_path(path, [glob])
    for path in closed:
        with pytest.raises(InvalidSpecError):
            check_path(path, [glob])


@pytest.mark.parametrize(
    "glob", ["", "/a", "a/", "../*", "a/../b", ".git/*", "[ab].yaml", "{a,b}", "a b", "a//b", "!a"]
)
def test_what_could_match_no_path_is_no_glob(glob):
    assert not is_writable_glob(glob)


def test_both_layouts():
    assert place(Layout.BRANCH, "production", "main").of("hello", "slo.yaml") == "hello/slo.yaml"
    where = place(Layout.DIRECTORY, "production", "main")
    assert (where.branch, where.of("hello", "slo.yaml")) == ("main", ".keptn-stages/production/hello/slo.yaml")
