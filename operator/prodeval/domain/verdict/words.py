"""How numbers and foreign texts are put for people."""

import shlex

from prodeval.domain.resource import Target
from prodeval.domain.verdict.model import Artifact

_MOST = 500


def one_line(text: str) -> str:
    """A foreign text on one line, cut where it becomes a log."""
    line = " ".join(text[: 4 * _MOST].split())
    return line if len(line) <= _MOST else f"{line[: _MOST - 1]}…"


def number(value: float) -> str:
    """A number rounded to four significant digits, without an exponent where that is readable."""
    text = f"{value:.4g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 1e15 else text  # noqa: PLR2004 - digits of a float


def trigger_command(target: Target, sequence: str, artifact: Artifact) -> str:
    """The command that starts a delivery, with what was delivered last where that is known."""
    image = artifact.image or "IMAGE:TAG"
    version = artifact.version or "TAG"
    command = [f"--project={target.project}", f"--service={target.service}", f"--image={image}"]
    command += [f"--labels=version={version}"]
    command += [] if sequence == "delivery" else [f"--sequence={sequence}"]
    return " ".join(["keptn", "trigger", "delivery", *map(shlex.quote, command)])
