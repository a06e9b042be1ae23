"""Our commits: small, on top of a tip that was read."""

import time
from dataclasses import dataclass

from dulwich.errors import ObjectFormatException
from dulwich.objects import Commit, ObjectID

from prodeval.adapters.git.failures import BadAnswerError
from prodeval.adapters.git.objects import Objects


@dataclass(frozen=True, slots=True)
class Author:
    """Who commits, from the operator's config."""

    name: str
    email: str

    @property
    def line(self) -> bytes:
        """As Git writes it; the characters that end a field are left out."""
        name, email = (
            "".join(c for c in text if c.isprintable() and c not in "<>") for text in (self.name, self.email)
        )
        return f"{name.strip()} <{email.strip()}>".encode()


def root_of(objects: Objects, commit: str) -> str:
    """The tree of a commit."""
    return str(_parsed(objects, commit).tree, "ascii")


def commit_on(objects: Objects, parent: str, tree: str, message: str, author: Author) -> str:
    """Make a commit; its time is now, in UTC, and never before its parent's."""
    made = Commit()
    made.tree, made.parents = ObjectID(tree.encode()), [ObjectID(parent.encode())]
    made.author = made.committer = author.line
    made.author_time = made.commit_time = max(int(time.time()), _parsed(objects, parent).commit_time)
    made.author_timezone = made.commit_timezone = 0
    made.message = message.rstrip("\n").encode() + b"\n"
    return objects.make(b"commit", made.as_raw_string())


def _parsed(objects: Objects, oid: str) -> Commit:
    try:
        return Commit.from_string(objects.tree_or_commit(oid, b"commit"))
    except (ObjectFormatException, ValueError, AssertionError) as error:
        raise BadAnswerError(f"commit {oid} is broken") from error
