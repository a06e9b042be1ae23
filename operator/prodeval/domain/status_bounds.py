"""The bounds of a status as the CRD has them, and a status cut to fit, so that it can always be written.

The API server refuses a status as a whole, and again at each try, if one text in it is a character too long. Most texts
come from Keptn, Git or a label, where nobody bounds them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Protocol

from prodeval.domain.json_values import JSON, JSONObject, as_list, as_text, child
from prodeval.domain.paths import SLI, SLO
from prodeval.domain.printable import printable

Clean = Callable[[str], str]
"""Hides secrets in a text."""

_MOST_READ = 1 << 16
_LONGEST_SECRET = 1 << 12
_INT64 = range(-(1 << 63), 1 << 63)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Bound(Protocol):
    """What the CRD lets in at one place of a status."""

    def fit(self, value: JSON, clean: Clean) -> JSON:
        """The value as it may stand there; None: leave it out."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A text of so many characters (code points) at most.

    Attributes:
        otherwise: what stands there if there is nothing that fits; None: nothing.
        lines: whether it may have more than one.
        masked: False for what is compared with an annotation of the same object, where everybody can read it anyway.
    """

    most: int
    least: int = 0
    otherwise: str | None = field(default=None, compare=False)
    lines: bool = field(default=False, compare=False)
    masked: bool = field(default=True, compare=False)

    def fit(self, value: JSON, clean: Clean) -> JSON:
        """Printable, without secrets, and cut in this order: half a secret would not be known for one."""
        if not isinstance(value, str):
            return self.otherwise
        text = printable(value[:_MOST_READ], lines=self.lines)
        text = clean(text) if self.masked else text
        if len(value) > _MOST_READ:
            text = text[:-_LONGEST_SECRET]  # where a secret may have been cut in two
        text = text if len(text) <= self.most else f"{text[: self.most - 1]}…"
        return text if len(text) >= self.least else self.otherwise


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these texts."""

    values: tuple[str, ...]
    otherwise: str | None = field(default=None, compare=False)

    def fit(self, value: JSON, clean: Clean) -> JSON:
        """The value if it is one of them."""
        del clean
        return value if value in self.values else self.otherwise


@dataclass(frozen=True, slots=True)
class Time:
    """A date and a time in RFC 3339."""

    def fit(self, value: JSON, clean: Clean) -> JSON:
        """The value if it is one."""
        del clean
        text = as_text(value)
        return text if _TIME.fullmatch(text) and _is_date(text) else None


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer of 64 bits."""

    least: int | None = None

    def fit(self, value: JSON, clean: Clean) -> JSON:
        """The value if it is one."""
        del clean
        if not isinstance(value, int) or isinstance(value, bool) or value not in _INT64:
            return None
        return None if self.least is not None and value < self.least else value


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def fit(self, value: JSON, clean: Clean) -> JSON:
        """The value if it is one."""
        del clean
        return value if isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of so many items at most.

    Attributes:
        key: the field of an item that must be unique; empty: none.
        kept: the ends of the paths of items that are kept before others.
    """

    most: int
    of: Bound
    key: str = ""
    kept: tuple[str, ...] = field(default=(), compare=False)

    def fit(self, value: JSON, clean: Clean) -> JSON:
        """The items that fit, in their order."""
        if not isinstance(value, Sequence) or isinstance(value, str):
            return None
        chosen = self._chosen(as_list(value))
        fitting = (item for item in (self.of.fit(item, clean) for item in chosen) if item is not None)
        return list(islice(self._unique(fitting), self.most))

    def _chosen(self, items: Sequence[JSON]) -> Sequence[JSON]:
        """All of them, or those that may stay if some are more important than others."""
        if not self.kept or len(items) <= self.most:
            return items
        places = sorted(range(len(items)), key=lambda place: not self._is_kept(items[place]))
        return [items[place] for place in sorted(places[: self.most])]

    def _is_kept(self, item: JSON) -> bool:
        return as_text(child(item, "path")).endswith(self.kept)

    def _unique(self, items: Iterator[JSON]) -> Iterator[JSON]:
        seen: set[str] = set()
        for item in items:
            name = as_text(child(item, self.key))
            if not self.key or name not in seen:
                yield item
            seen.add(name)


@dataclass(frozen=True, slots=True)
class Fields:
    """An object; a required field that has nothing that fits takes it away as a whole."""

    fields: Mapping[str, Bound]
    required: frozenset[str] = frozenset()

    def fit(self, value: JSON, clean: Clean) -> JSON:
        """The fields that fit; those that are not known come from a newer CRD, by way of the server, and stay."""
        if not isinstance(value, Mapping):
            return None
        fitting = {name: self._fit(name, entry, clean) for name, entry in value.items()}
        fitting |= {name: self._fit(name, None, clean) for name in self.required - fitting.keys()}
        found = {name: entry for name, entry in fitting.items() if entry is not None}
        return found if self.required <= found.keys() else None

    def _fit(self, name: str, value: JSON, clean: Clean) -> JSON:
        bound = self.fields.get(name)
        return bound.fit(value, clean) if bound else value


_TRUTH = ("True", "False", "Unknown")
_CONTEXT = Text(64)
_VERSION = Text(256)
_MESSAGE = Text(1024)
_NUMBER = Text(32)
_REVISION = Text(320)
_CRITERION = Text(64)
_ECHO = Text(256, masked=False)
MOST_FILES = 256
"""Files that a status lists."""

_GATE_FILES = (SLO, SLI.rpartition("/")[2])

_DIGEST = Text(64)
_FILE = Fields(
    {
        "path": Text(255),
        "sha256": _DIGEST,
        "from": Text(320),
        "changedAt": Time(),
        "previousSHA256": _DIGEST,
    }
)
_RESOLVED = Fields(
    {
        "upstream": Text(2048),
        "branch": Text(255),
        "layout": Choice(("Branch", "Directory")),
        "load": Choice(("Generate", "LiveTraffic")),
        "timeframe": Text(64),
        "resultTimeout": Text(64),
    }
)
_SYNC = Fields(
    {
        "firstSyncTime": Time(),
        "lastPushTime": Time(),
        "stageRevision": _REVISION,
        "shipyardRevision": _REVISION,
        "filesDigest": Text(80),
        "files": Listing(MOST_FILES, _FILE, kept=_GATE_FILES),
        "plan": Listing(
            256,
            Fields(
                {
                    "path": Text(320),
                    "action": Choice(("Add", "Change", "Keep")),
                    "linesAdded": Whole(),
                    "linesRemoved": Whole(),
                }
            ),
            kept=_GATE_FILES,
        ),
    }
)
_PENDING = Fields({"version": Text(128), "context": _CONTEXT, "deadline": Time(), "pausedSince": Time()})
_EVIDENCE = Fields(
    {"check": Text(64), "status": Choice(_TRUTH, "Unknown"), "message": _MESSAGE}, frozenset({"check", "status"})
)
_OBJECTIVE = Fields(
    {
        "sli": Text(256),
        "displayName": Text(256),
        "status": Choice(("Pass", "Warning", "Fail", "Info")),
        "value": _NUMBER,
        "compared": _NUMBER,
        "keySLI": Flag(),
        "weight": Whole(),
        "pass": Listing(16, _CRITERION),
        "violated": Listing(32, _CRITERION),
        "message": _MESSAGE,
    }
)
_TASK = Text(63)
_TASKS = Fields({"sequence": _TASK, "afterTask": _TASK, "testTask": _TASK})
_LAST_EVALUATION = Fields(
    {
        "context": _CONTEXT,
        "eventID": Text(64),
        "version": _VERSION,
        "triggeredAt": Time(),
        "tasks": _TASKS,
        "image": Text(1024),
        "windowStart": Time(),
        "windowEnd": Time(),
        "result": Text(32),
        "score": _NUMBER,
        "message": _MESSAGE,
        "url": Text(2048),
        "evidence": Listing(16, _EVIDENCE, key="check"),
        "objectives": Listing(50, _OBJECTIVE),
    }
)
_OUTCOME = Fields({"context": _CONTEXT, "version": _VERSION, "verdict": Text(32), "score": _NUMBER, "endTime": Time()})
_CONDITION = Fields(
    {
        "type": Text(316),
        "status": Choice(_TRUTH, "Unknown"),
        "observedGeneration": Whole(0),
        "lastTransitionTime": Time(),
        "reason": Text(1024, least=1, otherwise="Unknown"),
        "message": Text(32768, otherwise="", lines=True),
    },
    frozenset({"type", "status", "lastTransitionTime", "reason", "message"}),
)
STATUS = Fields(
    {
        "observedGeneration": Whole(),
        "verdict": Choice(("Pending", "Pass", "Warning", "Fail", "Inconclusive")),
        "lastHandledReconcileAt": _ECHO,
        "resolved": _RESOLVED,
        "sync": _SYNC,
        "pending": _PENDING,
        "lastEvaluation": _LAST_EVALUATION,
        "history": Listing(50, _OUTCOME),
        "conditions": Listing(16, _CONDITION, key="type"),
    }
)
"""The same as the status in crds/productionevaluations.yaml."""


def fit(status: JSONObject, clean: Clean) -> JSONObject:
    """The status as the API server takes it, whatever is in it.

    Texts become printable, are given to `clean`, and are cut to what the CRD allows, the end of a cut one being `…`;
    lists are cut, the files that decide the gate kept first; what is of another kind is left out. A status that fits
    stays as it is.
    """
    fitting = STATUS.fit(status, clean)
    return fitting if isinstance(fitting, Mapping) else {}


def echo(value: str) -> str:
    """An annotation's value as `fit` leaves it in the `lastHandled...At` that echoes it, to be compared with that."""
    return as_text(_ECHO.fit(value, str))
