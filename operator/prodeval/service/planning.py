"""What one resource wants to push: decided over a snapshot of the upstream; nothing is written here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from prodeval.domain.errors import DependencyNotReadyError, ShipyardRefusedError
from prodeval.domain.files import ManagedFile, files_digest
from prodeval.domain.paths import SHIPYARD, SLO, Layout, Place
from prodeval.domain.preflight import Files, Wish, poll_seconds
from prodeval.domain.resource import Load, Resource, Target
from prodeval.domain.result_timeout import default_timeout
from prodeval.domain.shipyard import Gate, Patched, gate, gated_tasks, inherited_timeframe, patch, read_shipyard
from prodeval.domain.status_bounds import MOST_FILES
from prodeval.domain.upstream import Change, Snapshot, Write
from prodeval.service.checking import check_files, check_others, files_after, in_words
from prodeval.service.resolving import ConfigMaps, Resolved, View, check_service, resolve_files, sort_out, view

_MOST_NAMED = 5


def _unknown(_: Target) -> None:
    return None


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What the operator's config says about writing.

    Attributes:
        message: the first line of commit messages; fixed placeholders, replaced as text.
        writable_paths: globs of files beyond the well-known ones.
        layout: None: detected.
        listened: the event types of a target that somebody in Keptn listens to; None: unknown.
    """

    message: str
    writable_paths: tuple[str, ...] = ()
    layout: Layout | None = None
    listened: Callable[[Target], frozenset[str] | None] = _unknown


@dataclass(frozen=True, slots=True)
class Plan:
    """What one resource wants to push, and what the upstream holds for it afterwards.

    Attributes:
        where: where the stage stands.
        files: the managed files, sorted by path.
        withheld: what policy Verify keeps from being pushed, for a person to merge.
        result_timeout: how long a verdict is waited for.
        shipyard: its text as it was found.
        doubts: what will probably go wrong, a sentence each.
    """

    write: Write
    where: Place
    layout: Layout
    files: tuple[ManagedFile, ...]
    load: Load
    timeframe: str
    result_timeout: timedelta
    shipyard: str
    withheld: tuple[Change, ...] = ()
    doubts: tuple[str, ...] = ()


def make_plan(resource: Resource, snapshot: Snapshot, config_maps: ConfigMaps, settings: PlanSettings) -> Plan:
    """Resolve, check and plan; raises ProdevalError for what stands in the way."""
    seen = view(snapshot, resource.target.stage, settings.layout)
    where = check_service(resource, seen)
    shipyard = _shipyard_text(snapshot)
    resolved = resolve_files(resource, seen, shipyard, config_maps)
    changes, files = sort_out(resource, seen, resolved.files, settings.writable_paths)
    paths = _paths_after(resource, seen, where, changes)
    wish = gate(
        resource.target.stage, resource.shipyard, has_load_files=any(path.startswith("locust/") for path in paths)
    )
    wish = replace(wish, default_timeframe=inherited_timeframe(shipyard, wish.stage, wish.sequence))
    patched = patch(shipyard, wish)
    after = files_after(resource, seen, paths, changes)
    findings = check_files(after, Wish(wish, shipyard), resource.target, settings.listened(resource.target))
    others = check_others(resource, seen, wish, patched)
    shipyard_change = _shipyard_change(snapshot, patched)
    is_managed = resource.shipyard.policy == "Manage"
    return Plan(
        write=Write((*changes, *(shipyard_change if is_managed else ())), _message(resource, files, settings.message)),
        where=where,
        layout=seen.layout,
        files=files,
        load=wish.load,
        timeframe=patched.timeframe or "",
        result_timeout=resource.result_timeout or _default_timeout(patched, wish, after, resource.target),
        shipyard=shipyard,
        withheld=() if is_managed else shipyard_change,
        doubts=in_words(findings, (*_doubts(resolved, files), *others)),
    )


def _default_timeout(patched: Patched, wish: Gate, files: Files, target: Target) -> timedelta:
    _, sequence = read_shipyard(patched.text).sequence(wish.stage, wish.sequence)
    test, evaluation = gated_tasks(sequence, wish)
    return default_timeout(
        triggered_after=evaluation.triggered_after if evaluation else "",
        poll_seconds=poll_seconds(files, test.name, target) if test else 0,
    )


def _doubts(resolved: Resolved, files: tuple[ManagedFile, ...]) -> Iterator[str]:
    if resolved.left_out:
        names = ", ".join(resolved.left_out[:_MOST_NAMED]) + (", ..." if len(resolved.left_out) > _MOST_NAMED else "")
        yield f"not copied, since prodeval writes no such names: {names}; rename or remove them"
    if len(files) > MOST_FILES:
        # What the status does not list cannot be told from somebody else's file, and a copy never overwrites that.
        yield (
            f"there are {len(files)} files and the status lists {MOST_FILES}: copies of the others are made once and "
            "do not follow their source; put large data sets elsewhere"
        )


def _shipyard_text(snapshot: Snapshot) -> str:
    found = snapshot.read(snapshot.default_branch, SHIPYARD)
    if found is None:
        raise DependencyNotReadyError(
            f"branch {snapshot.default_branch!r} of the upstream has no shipyard.yaml; if Keptn uses another branch, "
            "name it in projects.<project>.branch in the operator's config"
        )
    try:
        return found.decode()
    except UnicodeDecodeError as error:
        raise ShipyardRefusedError("is not UTF-8; save it as UTF-8", path=SHIPYARD) from error


def _shipyard_change(snapshot: Snapshot, patched: Patched) -> tuple[Change, ...]:
    if not patched.edits:
        return ()
    return (Change(snapshot.default_branch, SHIPYARD, patched.text.encode()),)


def _paths_after(resource: Resource, seen: View, where: Place, changes: tuple[Change, ...]) -> frozenset[str]:
    """The service's files once the changes are pushed; raises DependencyNotReadyError if there is no SLO among them."""
    root = where.of(resource.target.service)
    present = seen.snapshot.list(where.branch, root.rstrip("/"))
    paths = frozenset(present) | {change.path.removeprefix(root) for change in changes}
    if SLO not in paths:
        raise DependencyNotReadyError(
            f"no slo.yaml for {resource.target.service!r} in stage {resource.target.stage!r}: neither the stage nor "
            "spec.files has one, and Keptn would pass everything; add one"
        )
    return paths


def _message(resource: Resource, files: tuple[ManagedFile, ...], template: str) -> str:
    target, key = resource.target, resource.key
    values = {
        "{project}": target.project,
        "{stage}": target.stage,
        "{service}": target.service,
        "{namespace}": key.namespace,
        "{name}": key.name,
    }
    for placeholder, value in values.items():
        template = template.replace(placeholder, value)
    return f"{template}\n\nProdeval-Resource: {key}\nProdeval-Digest: {files_digest(files)}\n"
