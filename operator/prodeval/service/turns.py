"""What a turn of a lane leaves behind: when there is something to do again."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Again:
    """When one item is due again, in seconds; up to `slack` earlier if its project has a turn anyway."""

    seconds: float
    slack: float = 0.0


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """The end of one turn.

    Attributes:
        again: by item.
        hold: for so many seconds the project's server asked to be left alone.
        news: whether results of the project are worth a look now.
    """

    again: Mapping[str, Again] = field(default_factory=dict)
    hold: float = 0.0
    news: bool = False
