"""Documents of others: what they become, what is told of the rest, and what is refused where."""

from pathlib import Path

import pytest

from stalewatch.config import ConfigError
from stalewatch.config.objective_text import plain
from stalewatch.openslo.documents import read_documents
from stalewatch.openslo.read import Imported, import_objectives

FILE = Path("slo.yaml")
SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata:
  name: web
  annotations: {stalewatch/indicator: reads, stalewatch/layer: edge}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Prometheus, spec: {query: sum(ok)}}}
    total: {metricSource: {type: Prometheus, spec: {query: sum(all)}}}
---
"""
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  service: web
  indicatorRef: web
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
"""
POLICY = """\
  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: fast}
      spec:
        alertWhenNoData: true
        alertWhenBreaching: true
        alertWhenResolved: true
        conditions:
          - kind: AlertCondition
            metadata: {name: fast}
            spec:
              severity: sev1
              condition: {kind: burnrate, op: gte, threshold: 2, lookbackWindow: 1h, alertAfter: 5m}
        notificationTargets: [{targetRef: on-call}]
"""


def imported(text: str) -> Imported:
    return import_objectives(read_documents(FILE, text))


def told(text: str) -> list[str]:
    return [str(each) for each in imported(text).lost]


def test_an_sli_is_taken_by_its_annotations_and_not_by_its_queries() -> None:
    done = imported(SLI + SLO)
    assert plain(done.objectives["web"]) == {
        "layer": "edge",
        "indicator": "reads",
        "target": "99.9%",
        "window": "28d",
    }
    assert [str(each) for each in done.lost] == [
        "8:5: SLI web: spec.ratioMetric: queries are not read: the annotations say what Stalewatch"
        " measures",
        "16:12: SLO web: spec.service: objectives have no services: keyspace and owner say whose"
        " they are",
    ]


def test_an_sli_of_another_measurement_is_not_carried() -> None:
    foreign = SLI.replace(
        "  annotations: {stalewatch/indicator: reads, stalewatch/layer: edge}\n", ""
    )
    done = imported(foreign + SLO)
    assert done.objectives == {}
    first, second = done.lost
    assert (first.what, first.path, first.why) == (
        "SLI web",
        "kind",
        "no SLO that is carried refers to it",
    )
    assert (second.line, second.path) == (16, "spec.indicatorRef")
    assert "Stalewatch measures freshness itself" in second.why


def test_alerts_of_others_are_taken_as_far_as_they_go() -> None:
    done = imported(SLI + SLO + POLICY)
    assert plain(done.objectives["web"])["alerting"] == {
        "windows": [{"long": "1h", "short": "5m", "burn": 2.0, "severity": "ticket"}]
    }
    condition = "spec.alertPolicies[0].spec.conditions[0].spec"
    assert {each.path for each in done.lost if each.line > 19} == {
        "spec.alertPolicies[0].spec.alertWhenNoData",
        "spec.alertPolicies[0].spec.notificationTargets[0].targetRef",
        f"{condition}.severity",
        f"{condition}.condition.op",
        f"{condition}.condition.alertAfter",
        f"{condition}.condition.lookbackWindow",
    }


WINDOW = "spec.timeWindow[0]"
GOAL = "spec.objectives[0]"
ROLLS = "{duration: 4w, isRolling: true}"
TUESDAY = "{duration: 1w, calendar: {startTime: 2024-01-02 00:00:00, timeZone: UTC}}"
QUARTER = "{duration: 1Q, calendar: {startTime: 2024-01-01 00:00:00, timeZone: UTC}}"
SLICES = "Timeslices\n  objectives: [{target: 0.9, timeSliceTarget: 1, timeSliceWindow: 1h}]"
COUNTS = "Occurrences\n  objectives: [{target: 0.999}]"


@pytest.mark.parametrize(
    ("old", "new", "path", "why"),
    [
        pytest.param("4w", "1M", f"{WINDOW}.duration", "no one length", id="month"),
        pytest.param("0.999", "0", "spec", "target: ", id="no target"),
        pytest.param("Ref: web", "Ref: other", "spec.indicatorRef", "no SLI other", id="no SLI"),
        pytest.param("0.999", "0.9, op: lt, value: 3", f"{GOAL}.op", "threshold", id="threshold"),
        pytest.param(f"  timeWindow: [{ROLLS}]\n", "", "spec", "timeWindow", id="no window"),
        pytest.param(
            ROLLS, TUESDAY, f"{WINDOW}.calendar.startTime", "Monday", id="a week from Tuesday"
        ),
        pytest.param(ROLLS, QUARTER, f"{WINDOW}.duration", "a day, a week or", id="a quarter"),
        pytest.param(COUNTS, SLICES, f"{GOAL}.timeSliceTarget", "no error budget", id="all good"),
    ],
)
def test_what_cannot_be_an_objective_is_told_and_not_carried(
    old: str, new: str, path: str, why: str
) -> None:
    done = imported(SLI + SLO.replace(old, new))
    assert done.objectives == {}
    said = [each for each in done.lost if each.what == "SLO web"]
    assert [each.path for each in said] == [path]
    assert why in said[0].why


def test_several_objectives_of_one_slo_are_several() -> None:
    two = SLO.replace(
        "[{target: 0.999}]", "[{target: 0.9}, {targetPercent: 99.5, displayName: Good}]"
    )
    done = imported(SLI + two)
    assert [plain(each)["target"] for each in done.objectives.values()] == ["90%", "99.5%"]
    assert list(done.objectives) == ["web-1", "web-2"]
    assert "spec.objectives[1].displayName" in {each.path for each in done.lost}


def test_nothing_is_dropped_in_silence() -> None:
    more = SLO.replace("metadata: {name: web}", "metadata: {name: web, labels: {team: [a]}}")
    more += "  somethingNew: {of: {later: versions}}\n"
    paths = {each.path for each in imported(SLI + more).lost}
    assert {"metadata.labels.team", "spec.somethingNew.of.later"} <= paths


def test_an_annotation_that_says_nothing_known_is_told_where_it_stands() -> None:
    _, second, *_ = told(SLI.replace("indicator: reads", "indicator: writes") + SLO)
    path = "metadata.annotations.stalewatch/indicator"
    assert second.startswith(
        f"5:39: SLI web: {path}: SLO web is not carried: indicator: expected reads, "
    )


def test_what_was_edited_stands_and_not_its_annotation() -> None:
    noted = SLO.replace(
        "{name: web}",
        "{name: web, annotations: {stalewatch/window: 27d30s, stalewatch/target: '99.95%'}}",
    )
    asked = imported(SLI + noted).objectives["web"]
    assert (str(asked.window), str(asked.target)) == ("28d", "99.9%")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("slo/v1", "slo/v2", "1:13: apiVersion: expected openslo/v1", id="version"),
        pytest.param("kind: SLO", "kind: SLOs", "2:7: kind: expected one of", id="kind"),
        pytest.param("{name: web}", "{name: W}", "3:18: metadata.name: expected a name", id="name"),
        pytest.param("  service: web\n", "", "4:1: spec.service: required, and", id="no service"),
        pytest.param("Occurrences", "Timeslices", "5:3: spec: expected timeSliceT", id="slices"),
        pytest.param("4w", "30s", "7:27: spec.timeWindow[0].duration: expected a d", id="seconds"),
        pytest.param(
            "g: true", "g: false", "7:16: spec.timeWindow[0]: expected isRolling", id="no calendar"
        ),
        pytest.param(
            "Occurrences", "E", "8:20: spec.budgetingMethod: expected Occurrences", id="budgeting"
        ),
        pytest.param(
            "0.999", "99.9", "9:25: spec.objectives[0].target: expected less than 1", id="target"
        ),
    ],
)
def test_what_is_no_openslo_is_refused_where_it_stands(old: str, new: str, problem: str) -> None:
    assert refused(SLO.replace(old, new)).startswith(f"slo.yaml:{problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            f"{SLO}---\n{SLO}",
            "13:18: metadata.name: SLO web stands in this file twice",
            id="twice",
        ),
        pytest.param("- 3\n", "1:3: expected a document with apiVersion", id="no mapping"),
        pytest.param("", "1:1: expected OpenSLO documents, and found none", id="empty"),
        pytest.param("a: [", "1:5: not YAML", id="not YAML"),
        pytest.param("a: 1\na: 2\n", "2:1: a: this key stands here twice", id="a key twice"),
    ],
)
def test_files_that_are_no_documents_are_refused(text: str, problem: str) -> None:
    assert refused(text).startswith(f"slo.yaml:{problem}")


def test_documents_may_stand_in_a_list() -> None:
    items = [
        "- " + part.strip().replace("\n", "\n  ") + "\n" for part in (SLI + SLO).split("---\n")
    ]
    assert imported("".join(items)).objectives == imported(SLI + SLO).objectives


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        imported(text)
    (line,) = str(error.value).splitlines()
    return line
