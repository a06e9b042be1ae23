"""The image without a container: what the Dockerfile says, done below a folder that stands for the root."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

CONTEXT = Path(__file__).parents[3]
_ABSOLUTE = re.compile(r"(?<![\w./*])/(?=\w)")


@dataclass
class Image:
    """What the last stage leaves.

    Attributes:
        environment: what ENV set in it.
        arguments: CMD.
    """

    root: Path
    folder: str = "/"
    environment: dict = field(default_factory=dict)
    user: str = ""
    entrypoint: list = field(default_factory=list)
    arguments: list = field(default_factory=list)

    @property
    def program(self):
        """The console script that ENTRYPOINT names, as its PATH finds it."""
        return self.root / "opt/prodeval/bin" / self.entrypoint[0]

    def inside(self, text):
        """The text with all its absolute paths below the root."""
        return _ABSOLUTE.sub(f"{self.root}/", text)


def build(root):
    """Do what the Dockerfile says, with this Python in the place of the image's."""
    image = Image(root)
    for word, rest in instructions():
        _DO[word](image, rest)
    return image


def instructions():
    """Each instruction and what follows it."""
    text = (CONTEXT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


def _from(image, rest):
    """A new stage; the folders of the earlier ones stay, since a venv must not move."""
    image.folder, image.environment, image.user = "/", {}, ""


def _workdir(image, rest):
    image.folder = rest
    _below(image, rest).mkdir(parents=True)


def _copy(image, rest):
    *sources, target = shlex.split(rest)
    if sources[0].startswith("--from="):
        assert sources[1:] == [target], "the path must stay: the scripts of a venv name it"
        assert _below(image, target).is_dir()
        return
    for source in sources:
        _copy_from_context(source, _below(image, target), whole=len(sources) == 1)


def _copy_from_context(source, target, *, whole):
    """A folder's content goes into the target, a file below it unless it is the only source."""
    path = CONTEXT / source
    found = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    kept = [one for one in found if not ignored(PurePosixPath(one.relative_to(CONTEXT)))]
    assert kept, f"COPY {source}: .dockerignore leaves nothing of it"
    for one in kept:
        place = target / (one.relative_to(path) if path.is_dir() else one.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(one, place)


def ignored(path):
    """Whether .dockerignore leaves a path out; the last line that matches it or a folder above it decides."""
    verdict = False
    for line in (CONTEXT / ".dockerignore").read_text().split():
        pattern = re.escape(line.lstrip("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(pattern, str(one)) for one in (path, *path.parents)):
            verdict = not line.startswith("!")
    return verdict


def _run(image, rest):
    python = str(Path(sys.executable).parent)
    environment = os.environ | image.environment | {"PATH": f"{python}:{os.environ['PATH']}"}
    command = ["/bin/sh", "-euc", image.inside(rest)]
    ran = subprocess.run(command, cwd=_below(image, "."), env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"RUN {rest}\n{ran.stdout}\n{ran.stderr}"


def _env(image, rest):
    for setting in shlex.split(rest):
        name, _, value = setting.partition("=")
        image.environment[name] = image.inside(value).replace("$PATH", os.environ["PATH"])


def _user(image, rest):
    image.user = rest


def _entrypoint(image, rest):
    image.entrypoint = _exec_form(rest)


def _cmd(image, rest):
    image.arguments = _exec_form(rest)


def _exec_form(rest):
    """The words of `["a", "b"]`; a shell in between would keep SIGTERM from the operator."""
    assert rest.startswith("["), f"{rest}: not the exec form"
    return shlex.split(rest.strip("[]").replace(",", " "))


def _below(image, path):
    """A path of the image, relative ones from its working folder."""
    return image.root / str(PurePosixPath(image.folder, path)).lstrip("/")


_DO = {
    "FROM": _from,
    "WORKDIR": _workdir,
    "COPY": _copy,
    "RUN": _run,
    "ENV": _env,
    "USER": _user,
    "ENTRYPOINT": _entrypoint,
    "CMD": _cmd,
}
