"""`prodeval plan`: what would be pushed for some resources, as a diff."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.local import open_local
from prodeval.cli.manifests import Manifests, read_manifests
from prodeval.cli.plan_outputs import FORMATS
from prodeval.domain.credentials import KEY, GitCredentials, parse_git_credentials
from prodeval.domain.errors import ProdevalError
from prodeval.domain.upstream import Snapshot
from prodeval.service.planning import PlanSettings
from prodeval.service.previewing import Preview, branches, preview

SAME, CHANGES, ERRORS = 0, 1, 2

_SETTINGS = PlanSettings(message="gate({service}): sync production evaluation")
_EXAMPLES = """\
examples:
  prodeval plan -f resource.yaml --upstream fulltour.git
  prodeval plan -f resource.yaml --upstream https://user:token@git.example.com/acme/fulltour.git
  prodeval plan -f resource.yaml --upstream . | git apply --include=shipyard.yaml

The upstream is a clone, a bare repository, a plain folder in Keptn's directory layout, or an http or https URL.
Nothing is written. Manifests may hold other documents; ConfigMaps that the resources name are taken from them.
Exit code 0: done, 1: there are changes (with --exit-code), 2: errors.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; returns 0, 1 with --exit-code if there are changes, 2 on errors."""
    options = _parser().parse_args(argv)
    try:
        manifests = read_manifests(options.file)
        shown = _at_upstream(options.upstream, manifests)
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}")
    except ProdevalError as error:
        return _failed(str(error))
    for _, plan in shown.plans:
        sys.stderr.writelines(f"prodeval plan: doubt: {doubt}\n" for doubt in plan.doubts)
    sys.stdout.buffer.write(FORMATS[options.output](shown))
    return CHANGES if options.exit_code and shown.files else SAME


def _failed(message: str) -> int:
    sys.stderr.write(f"prodeval plan: {message}\n")
    return ERRORS


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="prodeval plan",
        description="Show what would be pushed for resources, as a diff for each branch.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-f", "--file", action="extend", nargs="+", type=Path, required=True, metavar="FILE", help="manifests"
    )
    parser.add_argument("--upstream", required=True, metavar="URL|DIR", help="the Keptn project's Git upstream")
    parser.add_argument("-o", "--output", choices=sorted(FORMATS), default="diff")
    parser.add_argument("--exit-code", action="store_true", help="exit 1 if there are changes")
    return parser


def _at_upstream(upstream: str, manifests: Manifests) -> Preview:
    if "://" not in upstream:
        snapshot = open_local(Path(upstream))
        return _preview(manifests, snapshot)
    repository = Repositories(author_name="prodeval", author_email="prodeval@localhost").open(
        "plan", _credentials(upstream)
    )
    try:
        return repository.look(branches(manifests.resources), partial(_preview, manifests))
    finally:
        repository.close()


def _credentials(url: str) -> GitCredentials:
    """The user and the token that a URL holds, apart from it, so that no message shows them."""
    parts = urlsplit(url)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    data = {
        "remoteURL": bare,
        "user": unquote(parts.username or ""),
        "https": {"token": unquote(parts.password or "")},
    }
    return parse_git_credentials({KEY: json.dumps(data).encode()}, secret="--upstream")  # noqa: S106 - a name


def _preview(manifests: Manifests, snapshot: Snapshot) -> Preview:
    return preview(manifests.resources, snapshot, manifests.config_maps, _SETTINGS)
