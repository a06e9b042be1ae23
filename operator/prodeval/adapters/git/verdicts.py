"""What a server means by refusing to move a branch: somebody was faster, or never."""

from enum import Enum


class Refusal(Enum):
    """Why a branch did not move."""

    RACE = "somebody was faster, or holds a lock"
    FORBIDDEN = "a rule of the server"
    UNCLEAR = "the next listing tells: if the branch has moved, somebody was faster"


_FORBIDDEN = (
    "hook declined",
    "protected branch",
    "prohibited",
    "denied",
    "not allowed",
    "not permitted",
    "forbidden",
    "gh006",
    "gh013",
    "signature",
    "signed",
    "policy",
    "rule violation",
)
_RACE = (
    "non-fast-forward",
    "fetch first",
    "lock",
    "failed to update ref",
    "already been updated",
    "stale",
    "old value",
    "transaction failed",
    "atomic push",
    "try again",
)


def meaning(reason: str) -> Refusal:
    """Read the reason behind `ng <ref>`: Git's own words, and those of GitHub, GitLab, Gerrit and Azure DevOps."""
    words = reason.lower()
    if any(word in words for word in _FORBIDDEN):
        return Refusal.FORBIDDEN
    if any(word in words for word in _RACE):
        return Refusal.RACE
    return Refusal.UNCLEAR
