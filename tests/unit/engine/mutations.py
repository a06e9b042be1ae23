"""Plants faults in the engine one by one, each in a copy of its own, and tells which tests find it.

Run as `python -m tests.unit.engine.mutations [--walks-only] [--jobs=N] [WORD ...]`; words choose mutations by name.
Ends with 1 if a mutation survives, if the walks alone find fewer than three of four, or if there is no place for one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
WALKS = "tests/unit/engine/test_walks.py"
TESTS = ("tests/unit/engine", "tests/unit/runtime", "tests/unit/service", "tests/unit/verdict", f"--ignore={WALKS}")


@dataclass(frozen=True)
class Mutation:
    """One fault: `old` becomes `new` in a file of the package; `old` must stand there exactly once."""

    name: str
    file: str
    old: str
    new: str


MUTATIONS = (
    Mutation(
        "an object is its name, not its uid, after a refused write",
        "service/registry.py",
        '        is_same = known is not None and child(body, "metadata", "uid") == known.resource.uid\n',
        "        is_same = known is not None\n",
    ),
    Mutation(
        "who was deleted comes back",
        "service/registry.py",
        "        self._gone[uid] = None\n",
        "        self._gone.pop(uid, None)\n",
    ),
    Mutation(
        "an older body replaces a newer one",
        "service/registry.py",
        "one and one.version >= entry.version for one in (before, holder)",
        "one and one.version == entry.version for one in (before, holder)",
    ),
    Mutation(
        "a sync of an older spec is reported",
        "service/sync_turn.py",
        "            if newest.generation != resource.generation:\n                return None\n",
        "",
    ),
    Mutation(
        "judged is the resource of the start of the turn",
        "service/observe_turn.py",
        "            is_written = self._reporter.report(resource.uid, self._make)\n",
        "            is_written = self._reporter.report(resource.uid, lambda _: self._make(resource))\n",
    ),
    Mutation(
        "a changed spec wakes nobody",
        "runtime/engine.py",
        "        elif _asks_for_more(now.resource, before.resource):\n            self._wake(",
        "        elif _asks_for_more(now.resource, before.resource):\n            (lambda *_: None)(",
    ),
    Mutation(
        "who waits for another one is not woken",
        "runtime/engine.py",
        "            self._syncs.forget(resource.uid)\n        self._wake_rivals(resource)\n",
        "            self._syncs.forget(resource.uid)\n",
    ),
    Mutation(
        "a cut answer is taken for all",
        "service/event_log.py",
        "        reached = start if answer.complete else _oldest(answer, until)\n",
        "        reached = start\n",
    ),
    Mutation(
        "the log claims to know what may be stored late",
        "service/event_log.py",
        "        until = (answer.answered or asked_at) - OVERLAP\n",
        "        until = answer.answered or asked_at\n",
    ),
    Mutation(
        "only what is newer than the newest event is asked for",
        "service/event_log.py",
        "    return min(known.newest, now, known.until + OVERLAP) - OVERLAP\n",
        "    return min(known.newest, now, known.until + OVERLAP)\n",
    ),
    Mutation(
        "dropped runs count as known",
        "service/event_log.py",
        "max(service.since, max(dropped) + timedelta(microseconds=1))",
        "service.since",
    ),
    Mutation(
        "a turn that failed is forgotten",
        "runtime/engine.py",
        "            end = TurnEnd(dict.fromkeys(turn.items, Again(_after_fault(work, turn.project))))\n",
        "            end = TurnEnd()\n",
    ),
    Mutation(
        "waits do not grow",
        "domain/backoff.py",
        "        return self.first * self.growth**exponent\n",
        "        return self.first\n",
    ),
    Mutation(
        "Retry-After is ignored",
        "domain/backoff.py",
        "        asked = retry_after or 0.0\n",
        "        asked = 0.0\n",
    ),
    Mutation(
        "a proof counts for another evaluation",
        "service/judging.py",
        "        return proof if event_id == found.event_id else None\n",
        "        return proof\n",
    ),
    Mutation(
        "the verdict in the status is not remembered",
        "service/judging.py",
        "            remembered=remember(before.status, expected),\n",
        "            remembered=None,\n",
    ),
    Mutation(
        "a remembered verdict answers each version",
        "domain/verdict/memory.py",
        '    return same and expectation.version in {None, as_text(last.get("version"))}\n',
        "    return same\n",
    ),
    Mutation(
        "who waits is told nothing of a silent Keptn",
        "service/observe_turn.py",
        "        self._judge.miss(project)\n",
        "",
    ),
    Mutation(
        "a new spec inherits the clock of the old one",
        "service/judging.py",
        "    return read_pending(resource.status) if _answers(resource, resource) else None\n",
        "    return read_pending(resource.status)\n",
    ),
    Mutation(
        "a held project gets its turn",
        "runtime/lane.py",
        "        self._held[project] = max(until, self._held.get(project, until))\n",
        "        self._held[project] = min(until, 0.0)\n",
    ),
    Mutation(
        "two turns of one project at once",
        "runtime/lane.py",
        "        if project in self._running or self._held",
        "        if self._held",
    ),
    Mutation(
        "slow projects take all places",
        "runtime/lane.py",
        "            return slow < max(1, self._places // _SLOW_SHARE)\n",
        "            return slow < self._places\n",
    ),
    Mutation(
        "a push without a look whether the object is there",
        "service/syncing.py",
        "        if plan.write.changes and not self.presence.is_current(self.resource):\n",
        "        if False:\n",
    ),
    Mutation(
        "a refused status is written again at once",
        "service/reporting.py",
        "if refusal is not None and self._clock.monotonic() < refusal.until:",
        "if False:",
    ),
    Mutation(
        "a verdict is announced with each write",
        "service/announcing.py",
        'verdict == "Pending" or _verdict_of(before) == _verdict_of(after)',
        'verdict == "Pending"',
    ),
    Mutation(
        "who is missing in a list is gone",
        "service/sweep.py",
        "            body = self._cluster.read(key)\n",
        "            body = None\n",
    ),
    Mutation(
        "a suspended resource is judged",
        "service/observe_turn.py",
        "        return not resource.suspend and first_sync(resource)",
        "        return first_sync(resource)",
    ),
    Mutation(
        "what counts begins before the first sync",
        "domain/verdict/timeline.py",
        "        and event.time > since\n",
        "",
    ),
    Mutation(
        "a pass is shown before Git was asked",
        "service/judging.py",
        "        if not succeeded(found.candidate.finished):\n",
        "        if True:\n",
    ),
)


def plant(mutation, folder):
    """A copy of the package with one fault; raises ValueError if there is no place for it."""
    package = folder / "operator"
    shutil.copytree(ROOT / "operator", package, ignore=shutil.ignore_patterns("__pycache__"))
    file = package / "prodeval" / mutation.file
    text = file.read_text()
    if text.count(mutation.old) != 1:
        raise ValueError(f"{mutation.name}: {mutation.file} has {text.count(mutation.old)} places for it, not one")
    file.write_text(text.replace(mutation.old, mutation.new))
    return package


def found_by(package, *tests):
    """The first test that fails; empty if none does."""
    environment = os.environ | {"PYTHONPATH": f"{package}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *tests], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode not in {0, 1} or (done.returncode == 1 and not lines):
        raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout}{done.stderr}")
    return lines[0].split(" - ")[0].rpartition("::")[2] if lines else ""


def row(mutation, *, walks_only):
    """Who finds a mutation: (walks, other tests)."""
    with tempfile.TemporaryDirectory() as folder:
        package = plant(mutation, Path(folder))
        walks = found_by(package, WALKS)
        return walks, "" if walks_only else found_by(package, *TESTS)


def main(arguments):
    words = [word for word in arguments if not word.startswith("-")]
    walks_only = "--walks-only" in arguments
    jobs = next((int(word.removeprefix("--jobs=")) for word in arguments if word.startswith("--jobs=")), 1)
    chosen = [one for one in MUTATIONS if not words or any(word in one.name for word in words)]
    by_walks = by_any = 0
    with ThreadPoolExecutor(jobs) as pool:
        rows = pool.map(lambda one: row(one, walks_only=walks_only), chosen)
        for mutation, (walks, tests) in zip(chosen, rows, strict=True):
            by_walks += bool(walks)
            by_any += bool(walks or tests)
            print(f"{mutation.name:58} {'walks' if walks else '-':6} {tests or '-'}", flush=True)
    print(f"{len(chosen)} mutations: {by_walks} found by the walks, {by_any} by any test")
    is_enough = 4 * by_walks >= 3 * len(chosen) and (walks_only or by_any == len(chosen))
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
