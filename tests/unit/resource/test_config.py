import pytest

from prodeval.config import Config, load_config, parse_config
from prodeval.domain.errors import ConfigError
from prodeval.domain.tenancy import Grant


def test_an_empty_file_is_the_defaults():
    assert parse_config(None) == Config()


def test_everything_can_be_set():
    config = parse_config(
        {
            "keptn": {
                "url": "https://keptn.example.com/api/",
                "tokenSecret": "t",
                "bridgeURL": "https://b.example.com",
            },
            "credentialsNamespace": "gates",
            "projects": {"fulltour": {"namespaces": ["team-a"], "branch": "trunk", "layout": "Directory"}},
            "writablePaths": ["job/*"],
            "git": {
                "author": {"name": "n", "email": "e"},
                "message": "x {name}",
                "timeout": "5s",
                "knownHosts": "h ssh-ed25519 A",
                "allowedHosts": ["h"],
            },
        }
    )
    assert config.keptn.url == "https://keptn.example.com/api"
    assert config.projects["fulltour"].grant == Grant(("team-a",), ("*",))
    assert (config.projects["fulltour"].branch, config.projects["fulltour"].layout) == ("trunk", "Directory")
    assert config.git.known_hosts == "h ssh-ed25519 A"
    assert (config.git.timeout, config.git.allowed_hosts, config.writable_paths) == (5.0, ("h",), ("job/*",))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the file: expected a mapping"),
        ({"kepnt": {}}, "kepnt: unknown key; known are credentialsNamespace"),
        ({"keptn": {"uri": "x"}}, "keptn.uri: unknown key"),
        ({"keptn": {"url": "keptn.example.com"}}, "keptn.url: 'keptn.example.com' is no http or https URL"),
        ({"keptn": {"url": 3}}, "keptn.url: expected text"),
        ({"projects": {"p": {"namespaces": "team-a"}}}, "projects.p.namespaces: expected a list"),
        ({"projects": {"p": {"namespace": ["team-a"]}}}, "projects.p.namespace: unknown key"),
        ({"projects": {"p": {"layout": "Flat"}}}, "projects.p.layout: 'Flat' is none of"),
        ({"git": {"timeout": "soon"}}, "git.timeout: 'soon' is not a duration"),
        ({"git": {"message": "{spec}"}}, "git.message: one line; placeholders are"),
        ({"git": {"message": "{service.__class__}"}}, "git.message: one line"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(document, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(document)


def test_the_file_is_named_in_each_error(tmp_path, monkeypatch):
    path = tmp_path / "config.yaml"
    monkeypatch.setenv("PRODEVAL_CONFIG", str(path))
    with pytest.raises(ConfigError, match=f"{path}: .*; set PRODEVAL_CONFIG"):
        load_config()
    path.write_text("projects: [")
    with pytest.raises(ConfigError, match=f"{path}: "):
        load_config()
    path.write_text("projects: {fulltour: {namespaces: [team-a]}}")
    assert load_config().projects["fulltour"].grant.namespaces == ("team-a",)
