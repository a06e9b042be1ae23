"""The operator's config file, and the only reader of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from prodeval.domain.durations import parse_duration
from prodeval.domain.errors import ConfigError
from prodeval.domain.json_values import JSON
from prodeval.domain.paths import is_writable_glob
from prodeval.domain.tenancy import Grant

PATH_VARIABLE = "PRODEVAL_CONFIG"
DEFAULT_PATH = "/etc/prodeval/config.yaml"
_LAYOUTS = ("Auto", "Branch", "Directory")
_PLACEHOLDERS = ("{project}", "{stage}", "{service}", "{namespace}", "{name}")


@dataclass(frozen=True, slots=True)
class KeptnConfig:
    """Where Keptn is.

    Attributes:
        token_secret: Secret of the credentials namespace; its key `keptn-api-token` holds the token.
        bridge_url: for links in status; empty: none.
    """

    url: str = "http://api-gateway-nginx.keptn/api"
    token_secret: str = "keptn-api-token"  # noqa: S105 - the name of a Secret, not its content
    bridge_url: str = ""


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """What is granted and overridden for one Keptn project; layout None: detected."""

    grant: Grant
    branch: str | None = None
    layout: str | None = None


@dataclass(frozen=True, slots=True)
class GitConfig:
    """How commits are written.

    Attributes:
        timeout: seconds for one Git operation.
        known_hosts: lines in OpenSSH's format, for projects whose Secret has none.
        allowed_hosts: that upstreams may be on; (): all.
    """

    author_name: str = "prodeval"
    author_email: str = "prodeval@localhost"
    message: str = "gate({service}): sync production evaluation"
    timeout: float = 60.0
    known_hosts: str = ""
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The operator's whole configuration."""

    keptn: KeptnConfig = field(default_factory=KeptnConfig)
    credentials_namespace: str = "keptn"
    projects: Mapping[str, ProjectConfig] = field(default_factory=dict)
    writable_paths: tuple[str, ...] = ()
    git: GitConfig = field(default_factory=GitConfig)


_KEPTN = KeptnConfig()
_GIT = GitConfig()


def load_config() -> Config:
    """Read the file that PRODEVAL_CONFIG names, else /etc/prodeval/config.yaml; raises ConfigError with the place."""
    path = Path(os.environ.get(PATH_VARIABLE, DEFAULT_PATH))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; set {PATH_VARIABLE} to the operator's config file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8") from error
    try:
        return parse_config(yaml.safe_load(text))
    except (ConfigError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_config(document: JSON) -> Config:
    """Build the config from parsed YAML; unknown keys and wrong types raise ConfigError with their place."""
    root = _Section(document, "")
    keptn, git = root.section("keptn"), root.section("git")
    author = git.section("author")
    projects = root.section("projects")
    config = Config(
        keptn=KeptnConfig(
            url=_url(keptn, "url", _KEPTN.url),
            token_secret=keptn.text("tokenSecret", _KEPTN.token_secret),
            bridge_url=_url(keptn, "bridgeURL", ""),
        ),
        credentials_namespace=root.text("credentialsNamespace", "keptn"),
        projects={name: _project(projects.section(name)) for name in projects.names()},
        writable_paths=_globs(root, "writablePaths"),
        git=GitConfig(
            author_name=author.text("name", _GIT.author_name),
            author_email=author.text("email", _GIT.author_email),
            message=_message(git),
            timeout=_seconds(git, "timeout", "60s"),
            known_hosts=git.text("knownHosts", ""),
            allowed_hosts=git.texts("allowedHosts"),
        ),
    )
    for section in (root, keptn, git, author, projects):
        section.end()
    return config


class _Section:
    """One mapping of the file; remembers what was read, so that the rest can be refused."""

    def __init__(self, value: JSON, place: str) -> None:
        if value is not None and not isinstance(value, Mapping):
            raise ConfigError(f"{place or 'the file'}: expected a mapping")
        self._values: Mapping[str, JSON] = value or {}
        self._place = place
        self._read: set[str] = set()

    def _get(self, name: str) -> JSON:
        self._read.add(name)
        return self._values.get(name)

    def place(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name

    def names(self) -> tuple[str, ...]:
        return tuple(self._values)

    def section(self, name: str) -> "_Section":
        return _Section(self._get(name), self.place(name))

    def text(self, name: str, default: str) -> str:
        value = self._get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise ConfigError(f"{self.place(name)}: expected text, found {value!r}")
        return value

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self._get(name)
        if value is None:
            return default
        if isinstance(value, str) or not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{self.place(name)}: expected a list of texts")
        return tuple(value)

    def end(self) -> None:
        unknown = sorted(set(map(str, self._values)) - self._read)
        if unknown:
            raise ConfigError(f"{self.place(unknown[0])}: unknown key; known are {', '.join(sorted(self._read))}")


def _project(section: _Section) -> ProjectConfig:
    layout = section.text("layout", "Auto")
    if layout not in _LAYOUTS:
        raise ConfigError(f"{section.place('layout')}: {layout!r} is none of {', '.join(_LAYOUTS)}")
    project = ProjectConfig(
        grant=Grant(section.texts("namespaces"), section.texts("services", ("*",))),
        branch=section.text("branch", "") or None,
        layout=None if layout == "Auto" else layout,
    )
    section.end()
    return project


def _globs(section: _Section, name: str) -> tuple[str, ...]:
    globs = section.texts(name)
    for glob in globs:
        if not is_writable_glob(glob):
            raise ConfigError(
                f"{section.place(name)}: {glob!r} is no path below a service; `*` and `?` stand for characters of one "
                "directory or file, `**` for directories too"
            )
    return globs


def _url(section: _Section, name: str, default: str) -> str:
    url = section.text(name, default)
    if url and not url.startswith(("http://", "https://")):
        raise ConfigError(f"{section.place(name)}: {url!r} is no http or https URL")
    return url.rstrip("/")


def _seconds(section: _Section, name: str, default: str) -> float:
    try:
        return parse_duration(section.text(name, default)).total_seconds()
    except ValueError as error:
        raise ConfigError(f"{section.place(name)}: {error}") from error


def _message(section: _Section) -> str:
    template = section.text("message", _GIT.message)
    rest = template
    for placeholder in _PLACEHOLDERS:
        rest = rest.replace(placeholder, "")
    if "{" in rest or "}" in rest or "\n" in rest or not template.strip():
        raise ConfigError(f"{section.place('message')}: one line; placeholders are {', '.join(_PLACEHOLDERS)}")
    return template
