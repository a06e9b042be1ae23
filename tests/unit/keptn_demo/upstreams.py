"""A repository on this disk, and commits to it."""

from collections.abc import Mapping
from pathlib import Path

from demo.gitserver import git


def create(folder: Path, branches: Mapping[str, Mapping[str, str]]) -> str:
    """A bare repository; the first branch is the default one. Returns its URL."""
    git("init", "--quiet", "--bare", f"--initial-branch={next(iter(branches))}", str(folder))
    for branch, files in branches.items():
        commit(folder, branch, files)
    return folder.as_uri()


def commit(folder: Path, branch: str, files: Mapping[str, str], *, on_top: bool = False) -> str:
    """Commit these files, in place of the history or on top of it. Returns the commit's id."""
    start = f"from refs/heads/{branch}^0\n" if on_top else ""
    head = f"commit refs/heads/{branch}\ncommitter x <x@localhost> 1700000000 +0000\ndata 1\nx\n{start}"
    blobs = "".join(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n" for path, text in files.items())
    git("-C", str(folder), "fast-import", "--quiet", "--force", stdin=f"{head}{blobs}\n".encode())
    return git("-C", str(folder), "rev-parse", f"refs/heads/{branch}").strip()
