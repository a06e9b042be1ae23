"""What must hold on a walk: with each status and push on the way, and once all is at rest."""

import hashlib
import logging
import math

from tests.support.model import NO_VERDICT, Seen, synced
from tests.support.walk_choices import PROJECTS

FRESH = 31.0
"""For so long the operator may believe what the API server told it."""


class OnTheWay:
    """What is shown is proven by what was told; what is pushed is wanted by somebody who is there."""

    def on_patch(self, before, after):
        spec, uid = after["spec"], after["metadata"]["uid"]
        old, new = before.get("status", {}), after["status"]
        if "sync" in new and uid not in self.first:
            self.first[uid] = math.floor(self.now)
        if old.get("sync") != new.get("sync"):
            self.check_synced(spec, new)
        last, verdict = new.get("lastEvaluation", {}), new["verdict"]
        if spec.get("suspend"):
            assert judged(old)[:2] == judged(new)[:2], "a suspended resource is judged"
        if judged(old) == judged(new):
            return
        if verdict == "Pending" or reason(new) in NO_VERDICT:
            self.may_go(old, new, spec, uid)
            return
        assert spec["project"] in PROJECTS, "a verdict without a grant"
        run = self.run_of(spec, last["eventID"])
        assert run, f"a verdict of another target: {last['eventID']}"
        assert spec.get("version") in (None, last.get("version")), "a verdict about another version"
        is_new = self.kept.get(uid) is not run
        if is_new:
            assert (run.triggered if run.evaluation else run.ended) > self.first[uid], (
                "a verdict from before the first sync"
            )
            self.check_proof(spec["project"], spec["service"], run, verdict)
        if verdict == "Pass":
            self.check_valid(spec["project"], run)
            self.check_newest(spec, run)
        self.kept[uid] = run

    def check_known(self):
        """Once the watch has told all, the operator knows what is there as it is, and nobody who is gone."""
        known = {entry.resource.uid: entry.version for entry in self.world.registry._entries.values()}
        there = {body["metadata"]["uid"]: body["metadata"] for body in self.world.cluster.objects.values()}
        assert known.keys() <= there.keys() | self.unheard, "somebody who was deleted is there again"
        versions = {uid: int(metadata["resourceVersion"]) for uid, metadata in there.items()}
        assert {uid: known.get(uid) for uid in versions} == versions, "an older body is taken for the newest"

    def check_synced(self, spec, status):
        """What a status says of files is of this very spec."""
        known = {one["path"]: one["sha256"] for one in status["sync"].get("files", ()) if one["from"] == "inline"}
        wanted = {one["inline"]["path"]: one["inline"]["content"] for one in spec.get("files", ()) if "inline" in one}
        assert known == {path: hashlib.sha256(text.encode()).hexdigest() for path, text in wanted.items()}

    def check_proof(self, project, service, run, verdict):
        """What is shown is what Keptn told this very process."""
        told = self.world.keptn.told[project]
        assert f"{run.context}/{run.outcome}" in told, "a verdict about an event that nobody told"
        if run.evaluation and verdict != "Inconclusive":
            assert (verdict == "Pass") == run.passed, "another verdict than Keptn's"
        if verdict == "Pass":
            assert run.evaluation, "a pass without an evaluation"
            since = [content for time, content in self.slos[project, service] if time >= run.triggered]
            at = [content for time, content in self.slos[project, service] if time < run.triggered][-1:]
            assert run.slo in at + since, "a pass by another slo.yaml"

    def check_valid(self, project, run):
        told = self.world.keptn.told[project]
        raw = [one for one in self.world.keptn.raw[project] if one["id"] in told]
        gone = [one for one in raw if one["type"].endswith("invalidated") and one["shkeptncontext"] == run.context]
        assert not gone, "a pass that was invalidated"

    def check_newest(self, spec, run):
        """A pass is not shown of what was replaced by another deployment of which this process was told."""
        if run.lost:
            return
        told = self.world.keptn.told[spec["project"]]
        raw = {one["id"]: one for one in self.world.keptn.raw[spec["project"]]}
        for other in self.runs[spec["project"], spec["service"]]:
            ended = any(
                identity in told and raw[identity]["type"].endswith("production.delivery.finished")
                for identity in raw
                if raw[identity]["shkeptncontext"] == other.context
            )
            if other.deployed is not None and ended:
                assert run.window >= other.deployed, "a pass of what was replaced"

    def may_go(self, old, new, spec, uid):
        """A verdict gives way to nothing but another expectation, an invalidation, or a run that deployed."""
        run = self.kept.get(uid)
        if run is None or old["verdict"] == "Pending" or reason(old) in NO_VERDICT:
            return
        wants = spec.get("version")
        runs = self.runs[spec["project"], spec["service"]]
        newer = [
            one for one in runs if (one.deploying or 0) > run.began or (one.began > run.began and one.version == wants)
        ]
        assert run.invalidated or newer or wants not in (None, old["lastEvaluation"].get("version")), (
            "a verdict is lost"
        )

    def run_of(self, spec, event_id):
        runs = self.runs[spec["project"], spec["service"]]
        return next((run for run in runs if f"{run.context}/{run.outcome}" == event_id), None)

    def on_post(self, body, reason_of_event):
        """At most one Event for each verdict of one spec; an invalidation may bring an earlier verdict back."""
        status, metadata = body["status"], body["metadata"]
        raw = self.world.keptn.raw[body["spec"]["project"]]
        invalidated = sum(one["type"].endswith("invalidated") for one in raw)
        if reason_of_event.startswith("Verdict"):
            about = status.get("lastEvaluation", {}).get("eventID"), status.get("pending", {}).get("deadline")
            self.shown[metadata["uid"], metadata["generation"], reason(status), about, invalidated] += 1
            assert max(self.shown.values()) <= 1, "a verdict is announced twice"

    def on_push(self, project, branch, path, before, content):
        """Only what a resource that is there wants, and nothing that is somebody else's."""
        assert project in PROJECTS
        if (branch, path) == ("main", "shipyard.yaml"):
            kept = [line for line in before.decode().splitlines() if "timeframe" not in line]
            lines = iter(content.decode().splitlines())
            assert all(line in lines for line in kept), "a line of the shipyard is gone"
            return
        assert branch == "production"
        wishes = self.wishes_now(project, path.partition("/")[0])
        assert wishes, f"{path} is pushed for nobody"
        inline = {
            source["inline"]["content"].encode()
            for spec in wishes
            for source in spec.get("files", [])
            if "inline" in source and path.endswith("/" + source["inline"]["path"])
        }
        if content not in inline:
            qa = self.world.git.branches[project]["qa"].get(path)
            assert content == qa, f"{path}: nobody wants this"
            assert before is None or before == self.ours(project, path), f"{path} is somebody else's"
        again = [time for time, old in self.pushed[project, path] if old == content]
        if again:
            assert (project, "production", path) in self.foreign or self.wished_since(project, path, again[-1]), (
                "pushed twice"
            )
        self.pushed[project, path].append((self.now, content))
        self.foreign.pop((project, "production", path), None)
        self.changed(project, path, content, is_known=not self.is_troubled())

    def ours(self, project, path):
        """What we wrote last, unless somebody wrote since."""
        if (project, "production", path) in self.foreign or not self.pushed[project, path]:
            return None
        return self.pushed[project, path][-1][1]

    def wishes_now(self, project, service):
        """Specs that the operator may still act on: the one that counts, and those that it may not know to be over."""
        found = []
        for wishes in self.wishes.values():
            for number, (_, spec) in enumerate(wishes):
                until = wishes[number + 1][0] if number + 1 < len(wishes) else math.inf
                fresh = FRESH if self.world.cluster.deaf else 0.0
                if spec and (spec["project"], spec["service"]) == (project, service) and until + fresh >= self.now:
                    found.append(spec)
        return [spec for spec in found if not spec.get("suspend") and spec["interval"] != "banana"]

    def wished_since(self, project, path, time):
        service = path.partition("/")[0]
        return any(
            when >= time - FRESH and (spec is None or (spec["project"], spec["service"]) == (project, service))
            for wishes in self.wishes.values()
            for when, spec in wishes
        )

    def is_troubled(self):
        world = self.world
        return bool(
            world.cluster.failure
            or world.cluster.refuses
            or world.cluster.deaf
            or world.pool.takes
            or world.cluster.before_patch
            or world.git.during
        )


class AtRest:
    """What the model says."""

    def check_rest(self, body):
        spec, uid, status = body["spec"], body["metadata"]["uid"], body.get("status", {})
        if spec.get("suspend"):
            return
        objects = list(self.world.cluster.objects.values())
        wanted = synced(body, objects, granted=PROJECTS, services=self.services)
        assert reason(status, "Synced") == wanted, (body["metadata"]["name"], status.get("conditions"))
        if wanted in {"DuplicateTarget", "InvalidSpec", "AccessDenied"} or uid not in self.first:
            assert uid in self.first or judged(status)[:2] == ("Pending", "")
            return
        assert (
            status["observedGeneration"] == body["metadata"]["generation"]
            or wanted == "DependencyNotReady"
            or reason(status, "Reconciling")
        )
        target = spec["project"], spec["service"]
        seen = Seen(
            spec.get("version"),
            self.first[uid],
            self.runs[target],
            self.kept.get(uid),
            lambda run: self.is_stained(target, run),
        )
        allowed = seen.verdicts()
        assert (status["verdict"], reason(status)) in allowed, (
            allowed,
            status,
            self.first[uid],
            spec,
            self.runs[target],
        )
        if wanted == "Synced":
            self.check_files(spec)

    def is_stained(self, target, run):
        """Whether files changed so that a pass may have been seen as unproven."""
        return any(
            time >= run.began or (not is_known and not self.was_settled(time, run.began))
            for time, is_known in self.stains[target]
        )

    def was_settled(self, since, until):
        return since < self.settled_at <= until

    def check_files(self, spec):
        files = self.world.git.branches[spec["project"]]["production"]
        assert files[f"{spec['service']}/slo.yaml"]
        for source in spec.get("files", []):
            if "inline" in source:
                path = f"{spec['service']}/{source['inline']['path']}"
                assert files[path] == source["inline"]["content"].encode(), path

    def check_foreign(self):
        for (project, branch, path), content in self.foreign.items():
            assert self.world.git.branches[project][branch][path] == content, f"{path} was somebody else's"


class Posts(list):
    """Events as they are posted."""

    def __init__(self, told, objects):
        super().__init__()
        self.told, self.objects = told, objects

    def append(self, posted):
        super().append(posted)
        body = next((body for key, body in self.objects.items() if key.name == posted[0]), None)
        if body is not None:
            self.told(body, posted[2])


class Errors(logging.Handler):
    """Errors of the operator's own, which it only logs."""

    def __init__(self, faults):
        super().__init__(logging.ERROR)
        self.faults = faults

    def emit(self, record):
        self.faults.append(AssertionError(record.getMessage() + logging.Formatter().formatException(record.exc_info)))


def reason(status, name="Passed"):
    return next((one["reason"] for one in status.get("conditions", ()) if one["type"] == name), "")


def judged(status):
    last = status.get("lastEvaluation", {})
    generation = [one["observedGeneration"] for one in status.get("conditions", ()) if one["type"] == "Passed"]
    told = "" if reason(status) in {"Reconciling", ""} else reason(status)
    return status.get("verdict", "Pending"), last.get("eventID", ""), told, generation
