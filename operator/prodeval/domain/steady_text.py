"""Texts of others without what differs from try to try, so that a failure that lasts is written into a status once."""

import re

_LONGEST = 4096
_VARIES = re.compile(
    r"""
      \b0x[0-9a-f]{6,}                                                       # an object's address
    | \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b                        # a UUID
    | \b[0-9a-f]{40}\b                                                       # a commit, which a race changes
    | \b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{8,20}(?:Z|[+-][0-9:]{4,6})?   # a time
    | \b[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?
    | \b[0-9]+\.[0-9]+[ ]?(?:[nmuµ]?s|secs?|seconds?)\b                      # a measured duration
    | \b[0-9]+[ ]?(?:[nmuµ]s|milliseconds?)\b
    | \b[0-9]+(?=[ ](?:more[ ]expected|bytes[ ]read|times|tries|attempts)\b) # a count
    | (?<=\battempt[ ])[0-9]+
    | (?<=\btcp[ ])[0-9a-f.:\[\]]{3,50}(?=->)                                # our end of a connection, as Go writes it
    | (?<=\brequest[ ]id:[ ])[^\s,;)]{1,100}                                 # as servers name it for their support
    """,
    re.VERBOSE | re.IGNORECASE,
)


def steady(text: str) -> str:
    """The text with `…` for object and socket addresses, ids, times, measured durations and counts."""
    return _VARIES.sub("…", text[:_LONGEST])
