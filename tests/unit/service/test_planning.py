from dataclasses import replace
from datetime import timedelta

import pytest

from prodeval.domain.errors import (
    DependencyNotReadyError,
    InvalidFileError,
    InvalidSpecError,
    WouldBreakServicesError,
)
from prodeval.domain.files import sha256
from prodeval.domain.paths import Layout
from prodeval.domain.resource import ConfigMapFiles, InlineFile, Resource, ResourceKey, ShipyardSpec, StageFiles, Target
from prodeval.service.planning import PlanSettings, make_plan
from tests.unit.service.snapshots import JOBS, SHIPYARD, SLO, MemorySnapshot, tutorial

RESOURCE = Resource(ResourceKey("team-a", "hello"), Target("fulltour", "production", "hello"))
FILES_OF_QA = ("slo.yaml", "prometheus/sli.yaml", "locust/basic.py", "locust/locust.conf")
SETTINGS = PlanSettings("gate({service}): sync")


def plan(snapshot, resource=RESOURCE, config_maps=None, settings=SETTINGS):
    return make_plan(resource, snapshot, config_maps or {}, settings)


def pushed(made):
    return {(change.branch, change.path): change.content for change in made.write.changes}


def with_written(files, resource=RESOURCE):
    entries = [{"path": path, "sha256": sha256(content), "from": "stage/qa"} for path, content in files.items()]
    return replace(resource, status={"sync": {"files": entries}})


def test_six_lines_copy_the_files_of_the_stage_before_and_patch_the_shipyard():
    made = plan(tutorial())
    assert set(pushed(made)) == {
        ("production", "hello/slo.yaml"),
        ("production", "hello/prometheus/sli.yaml"),
        ("production", "hello/locust/basic.py"),
        ("production", "hello/locust/locust.conf"),
        ("main", "shipyard.yaml"),
    }
    assert {file.origin for file in made.files} == {"stage/qa"}
    assert (made.load, made.timeframe, made.layout) == ("Generate", "2m", Layout.BRANCH)
    assert b"# the deployment" in pushed(made)["main", "shipyard.yaml"]


def test_a_second_plan_is_empty():
    before = tutorial()
    assert plan(before.after(plan(before).write.changes)).write.changes == ()


def test_a_lost_status_does_not_turn_our_copies_into_somebody_elses():
    before = tutorial()
    after = before.after(plan(before).write.changes)
    assert {file.origin for file in plan(after).files} == {"stage/qa"}


def test_a_copy_follows_its_source_as_long_as_it_is_ours():
    snapshot = tutorial(qa={"hello/slo.yaml": SLO + "# stricter\n"}, production={"hello/slo.yaml": SLO})
    made = plan(snapshot, with_written({"slo.yaml": SLO.encode()}))
    assert pushed(made)["production", "hello/slo.yaml"].endswith(b"# stricter\n")


def test_productions_own_slo_is_used_and_nothing_is_copied():
    made = plan(tutorial(production={"hello/slo.yaml": SLO + "# own\n"}))
    assert set(pushed(made)) == {("main", "shipyard.yaml")}
    assert [(file.path, file.origin) for file in made.files] == [("slo.yaml", "own")]


def test_a_named_copy_keeps_somebody_elses_file_and_says_so():
    resource = replace(RESOURCE, files=(StageFiles("qa"),))
    made = plan(tutorial(production={"hello/slo.yaml": SLO + "# own\n"}), resource)
    assert ("production", "hello/slo.yaml") not in pushed(made)
    assert {file.path for file in made.files if file.origin == "own"} == {"slo.yaml"}


def test_config_maps_and_inline_files_overwrite_and_later_ones_win():
    files = (ConfigMapFiles("gate"), InlineFile("slo.yaml", SLO + "# inline\n"))
    made = plan(
        tutorial(production={"hello/slo.yaml": SLO}), replace(RESOURCE, files=files), {"gate": {"slo.yaml": b"x"}}
    )
    assert pushed(made)["production", "hello/slo.yaml"].endswith(b"# inline\n")
    assert [(file.path, file.origin) for file in made.files] == [("slo.yaml", "inline")]


def test_without_locust_files_live_traffic_is_measured():
    resource = replace(RESOURCE, files=(InlineFile("slo.yaml", SLO),))
    made = plan(tutorial(), resource)
    assert made.load == "LiveTraffic"
    assert b"triggeredAfter" in pushed(made)["main", "shipyard.yaml"]


def test_verify_withholds_the_shipyard_and_pushes_the_files():
    made = plan(tutorial(), replace(RESOURCE, shipyard=ShipyardSpec(policy="Verify")))
    assert {change.branch for change in made.write.changes} == {"production"}
    assert [change.path for change in made.withheld] == ["shipyard.yaml"]


def test_the_directory_layout_is_recognised_and_used():
    branches = tutorial().branches
    main = dict(branches["main"])
    for stage in ("qa", "production"):
        main |= {f".keptn-stages/{stage}/{path}": content for path, content in branches[stage].items()}
    made = make_plan(RESOURCE, MemorySnapshot({"main": main}), {}, SETTINGS)
    assert made.layout is Layout.DIRECTORY
    assert ("main", ".keptn-stages/production/hello/slo.yaml") in pushed(made)


@pytest.mark.parametrize(
    ("snapshot", "message"),
    [
        (MemorySnapshot({"main": tutorial().branches["main"]}), "stage 'production' has no branch in the upstream"),
        (tutorial(production={"hello/metadata.yaml": None}), "keptn create service hello --project=fulltour"),
        (tutorial(main={"shipyard.yaml": None}), "branch 'main' of the upstream has no shipyard.yaml"),
        (tutorial(qa={"hello/slo.yaml": None}), r"neither stage 'production' nor stage 'qa' has an slo\.yaml"),
    ],
)
def test_what_is_not_there_yet_is_named_with_the_remedy(snapshot, message):
    with pytest.raises(DependencyNotReadyError, match=message):
        plan(snapshot)


def test_named_files_without_an_slo_are_refused():
    with pytest.raises(DependencyNotReadyError, match="Keptn would pass everything"):
        plan(tutorial(), replace(RESOURCE, files=(InlineFile("locust/a.py", ""),)))


def test_a_path_that_is_not_ours_is_refused_again_right_before_the_push():
    with pytest.raises(InvalidSpecError, match="may not be written"):
        plan(tutorial(), replace(RESOURCE, files=(InlineFile("job/config.yaml", ""),)))


def test_the_message_is_replaced_as_text_and_carries_the_trailers():
    message = plan(tutorial(), settings=PlanSettings("{project}/{stage}/{service} by {namespace}/{name}")).write.message
    assert message.startswith("fulltour/production/hello by team-a/hello\n\n")
    assert "\nProdeval-Resource: team-a/hello\nProdeval-Digest: sha256:" in message


def test_what_keptn_would_fail_on_is_refused_by_file_line_and_column():
    snapshot = tutorial(qa={"hello/slo.yaml": SLO.replace("'<=0.3'", "'<=fast'")})
    with pytest.raises(InvalidFileError, match=r"^hello/slo\.yaml:4:20: PE102 "):
        plan(snapshot)


def test_a_service_that_the_new_task_would_hang_stops_everything():
    snapshot = tutorial(
        production={"other/metadata.yaml": "", "third/metadata.yaml": "", "third/job/config.yaml": JOBS}
    )
    with pytest.raises(WouldBreakServicesError, match="each delivery of other would wait ten minutes for 'je-test'"):
        plan(snapshot)


def test_a_service_that_keptn_would_pass_unseen_is_a_doubt():
    snapshot = tutorial(production={"other/metadata.yaml": "", "other/job/config.yaml": JOBS})
    assert plan(snapshot).doubts[0] == "other share the sequence and have no slo.yaml, so Keptn passes them unseen"


def test_the_timeframe_is_that_of_the_stage_before_unless_the_resource_says_one():
    snapshot = tutorial(main={"shipyard.yaml": SHIPYARD.replace('"2m"', '"90s"')})
    assert plan(snapshot).timeframe == "90s"
    assert plan(snapshot, replace(RESOURCE, shipyard=ShipyardSpec(timeframe="5m"))).timeframe == "5m"
    assert plan(tutorial(main={"shipyard.yaml": SHIPYARD.replace('"2m"', "120")})).timeframe == "2m"


JOB = JOBS.encode()
PATIENT = JOBS.replace("image: locust", "image: locust, maxPollDuration: 3600").encode()
LIVE = replace(RESOURCE, shipyard=ShipyardSpec(load="LiveTraffic", timeframe="10m"))


def timeout(job=JOB, resource=RESOURCE, shipyard=SHIPYARD):
    snapshot = tutorial()
    main = {**snapshot.branches["main"], "shipyard.yaml": shipyard.encode()}
    production = {**snapshot.branches["production"], "hello/job/config.yaml": job}
    branches = {**snapshot.branches, "main": main, "production": production}
    return plan(MemorySnapshot(branches), resource).result_timeout


def test_a_verdict_is_waited_for_as_long_as_the_gate_may_take():
    assert timeout() == timedelta(minutes=30 + 5)
    assert timeout(PATIENT) == timedelta(minutes=30 + 60)


def test_without_a_load_test_its_job_adds_nothing_and_the_delay_of_the_evaluation_counts():
    assert timeout(PATIENT, LIVE) == timedelta(minutes=30 + 10)


def test_an_evaluation_that_stands_there_already_keeps_its_delay():
    adopted = SHIPYARD.replace(
        '"je-deployment"  # the deployment',
        '"je-deployment"\n            - name: "je-test"\n'
        '            - {name: "evaluation", triggeredAfter: "1.5h", properties: {timeframe: "2m"}}',
    )
    assert timeout(PATIENT, shipyard=adopted) == timedelta(minutes=30 + 90 + 60)


def test_what_the_spec_says_counts_alone():
    assert timeout(PATIENT, replace(RESOURCE, result_timeout=timedelta(minutes=5))) == timedelta(minutes=5)


@pytest.mark.parametrize("seconds", ["-5", "9" * 15])
def test_a_strange_wait_of_a_job_is_bounded(seconds):
    strange = PATIENT.replace(b"3600", seconds.encode())
    assert timedelta(minutes=30) <= timeout(strange) <= timedelta(days=7)


def test_names_that_cannot_be_copied_are_left_out_and_named():
    odd = ["locust/.gitkeep", "locust/a b.py", "locust/ü.py", "locust/a..b", ".x/sli.yaml", "locust/" + "a" * 255]
    made = plan(tutorial(qa={f"hello/{path}": "" for path in odd}))
    assert {file.path for file in made.files} == set(FILES_OF_QA)
    (doubt,) = made.doubts
    assert doubt.startswith("not copied, since prodeval writes no such names: stage/qa ")
    assert "stage/qa 'locust/.gitkeep'" in doubt
    assert ", ...; rename or remove them" in doubt


def test_odd_keys_of_a_config_map_are_left_out_unless_they_are_named():
    data = {"gate": {"slo.yaml": SLO.encode(), ".hidden.py": b"", "a..py": b""}}
    made = plan(tutorial(), replace(RESOURCE, files=(ConfigMapFiles("gate"),)), data)
    assert [doubt for doubt in made.doubts if "configMap/gate '.hidden.py', configMap/gate 'a..py'" in doubt]
    named = replace(RESOURCE, files=(ConfigMapFiles("gate", ((".hidden.py", "locust/.hidden.py"),)),))
    with pytest.raises(InvalidSpecError, match=r"'locust/\.hidden\.py' is not a path below the service"):
        plan(tutorial(), named, data)
    with pytest.raises(InvalidSpecError, match=r"'locust/\.gitkeep' is not a path below the service"):
        plan(
            tutorial(qa={"hello/locust/.gitkeep": ""}),
            replace(RESOURCE, files=(StageFiles("qa", ("locust/.gitkeep",)),)),
        )


def test_more_files_than_the_status_lists_are_a_doubt():
    data = {f"hello/locust/data/{number}.csv": str(number) for number in range(300)}
    made = plan(tutorial(qa=data))
    assert len(made.files) == 304
    assert [doubt for doubt in made.doubts if "there are 304 files and the status lists 256" in doubt]


@pytest.mark.parametrize(
    ("absent", "told"),
    [
        ({"main": {"shipyard.yaml": None}}, "has no shipyard.yaml; if Keptn uses another branch"),
        (
            {"main": {"shipyard.yaml": SHIPYARD.replace("qa.delivery.finished", "dev.delivery.finished")}},
            "no other stage triggers production.delivery",
        ),
        ({"qa": {"hello/slo.yaml": None}}, "neither stage 'production' nor stage 'qa' has an slo.yaml"),
    ],
)
def test_what_is_not_there_yet_is_named_with_what_to_do(absent, told):
    with pytest.raises(DependencyNotReadyError, match=told):
        plan(tutorial(**absent))


def test_an_own_slo_of_a_stage_that_nothing_triggers_is_enough():
    alone = {"shipyard.yaml": SHIPYARD.replace("qa.delivery.finished", "dev.delivery.finished")}
    made = plan(tutorial(main=alone, production={"hello/slo.yaml": SLO}))
    assert [(file.path, file.origin) for file in made.files] == [("slo.yaml", "own")]


def test_a_shipyard_in_another_encoding_is_refused():
    before = tutorial()
    branches = before.branches | {"main": before.branches["main"] | {"shipyard.yaml": "é".encode("latin-1")}}
    with pytest.raises(InvalidFileError, match="is not UTF-8"):
        plan(MemorySnapshot(branches))


def test_the_layout_of_the_config_counts():
    with pytest.raises(DependencyNotReadyError):
        plan(tutorial(), settings=replace(SETTINGS, layout=Layout.DIRECTORY))
    assert plan(tutorial(), settings=replace(SETTINGS, layout=Layout.BRANCH)).layout is Layout.BRANCH
