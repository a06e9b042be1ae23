"""Planners as the service layer writes them."""

from prodeval.domain.upstream import Change, Planner, Snapshot, Write

PRODUCTION, MAIN = "production", "main"
SLO_PATH, SHIPYARD_PATH = "helloservice/slo.yaml", "shipyard.yaml"
BOTH = frozenset({PRODUCTION})
MESSAGE = "gate(helloservice): sync production evaluation\n\nProdeval-Resource: team-a/helloservice\n"


def wanting(files: dict[tuple[str, str], bytes], message: str = MESSAGE) -> Planner:
    """Write what is not there yet; `files` by branch and path."""

    def plan(snapshot: Snapshot) -> Write:
        missing = [
            Change(branch, path, content)
            for (branch, path), content in files.items()
            if not snapshot.holds(branch, path, content)
        ]
        return Write(tuple(missing), message)

    return plan


def gate(content: bytes, message: str = MESSAGE) -> Planner:
    """An SLO for production, and the shipyard on the default branch."""
    return wanting({(PRODUCTION, SLO_PATH): content, (MAIN, SHIPYARD_PATH): content}, message)


def slo(content: bytes, service: str = "helloservice") -> Planner:
    """An SLO for production alone."""
    return wanting({(PRODUCTION, f"{service}/slo.yaml"): content})


def nothing(_: Snapshot) -> Write:
    return Write((), "")
