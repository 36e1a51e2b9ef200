"""Policies as data: what they ask, held against facts in three values, and what cannot be read."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_args

import pytest

from alerts.criteria import Answer, Overall, PolicyAnswer, all_of, any_of, hold
from alerts.eligibility import asking, missing
from alerts.policy import InvalidPolicy, Policy, State
from alerts.policy_facts import FLAGS, MEASURES, SoFar, facts_of
from alerts.policy_reading import load_policies, policies_from
from alerts.rules import RULES
from alerts.rules.eligibility_review import MOST_CHARS, RULE
from schemas.course import Flags
from schemas.state import Asked, Context, CourseState, PatientState

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
POLICIES = {policy.name: policy for policy in load_policies()}
DAY = timedelta(days=1)
EXAMPLE = """
name = "example"
kind = "payer"
title = "An example"
version = "1"
effective = 2026-01-01
source = "nowhere"
payers = ["Example  Health"]

[[pathway]]
stage = "initiation"
name = "one"

[[pathway.criterion]]
id = "age"
asks = "an age"
reference = "page 1"
tests = [{ fact = "age_at_start", below = "14 d" }]
"""


def context(**changes: Any) -> Context:
    """A newborn who meets what is asked, but for what is changed; ``None`` is not recorded."""
    flags = {
        "cdh": False,
        "right_to_left_shunt_dependent": False,
        "echo_confirmed_ph": True,
        "conventional_therapy_failed": True,
    }
    known = {
        "gestational_age": "38w0d",
        "indication": "hrf-pphn",
        "oxygenation_index": 30.0,
        "born": START - DAY,
    }
    age = changes.pop("age", None)
    known |= {key: value for key, value in changes.items() if key not in FLAGS}
    flags |= {key: value for key, value in changes.items() if key in FLAGS}
    if age is not None:
        known["born"] = START - age
    return Context(flags=Flags(**flags), **known)


def asked(name: str, so_far: SoFar | None = None, **changes: Any) -> PolicyAnswer:
    """Hold one policy against a newborn who is changed in this."""
    return hold(POLICIES[name], facts_of(context(**changes), START, so_far))


def answer(given: PolicyAnswer, criterion: str, way: int = 0) -> Answer:
    """Find a criterion by its id in the ``way``-th pathway of any stage that has it."""
    found = [
        one
        for stage in given.stages
        for pathway in stage.pathways
        for one in pathway.criteria
        if one.id == criterion
    ]
    return found[way]


def faults_of(texts: dict[str, str]) -> list[str]:
    """Read policies that cannot be, and return the faults."""
    with pytest.raises(InvalidPolicy) as wrong:
        policies_from(texts)
    return str(wrong.value).splitlines()


@pytest.mark.parametrize(
    ("policy", "criterion", "changes", "state", "says"),
    [
        ("bcbsma-100", "gestational-age", {"gestational_age": "33w6d"}, "not met", "33w6d"),
        ("bcbsma-100", "gestational-age", {"gestational_age": "34w0d"}, "indeterminate", "34w0d; "),
        ("bcbsma-100", "gestational-age", {"gestational_age": "34+0"}, "indeterminate", "says 34"),
        ("bcbsma-100", "gestational-age", {"gestational_age": "34 1/7"}, "met", "34w1d"),
        ("bcbsma-100", "gestational-age", {"gestational_age": None}, "indeterminate", "not record"),
        ("bcbsma-100", "gestational-age", {"gestational_age": 34.6}, "indeterminate", "ambiguous"),
        ("bcbsma-100", "respiratory-failure", {}, "met", "hrf-pphn"),
        ("bcbsma-100", "respiratory-failure", {"indication": "other"}, "indeterminate", "sepsis"),
        ("bcbsma-100", "respiratory-failure", {"indication": "ards"}, "indeterminate", "ards; the"),
        ("bcbsma-100", "respiratory-failure", {"indication": "lung-transplant"}, "not met", "lung"),
        (
            "bcbsma-100",
            "respiratory-failure",
            {"indication": "perioperative-chd"},
            "not met",
            "chd",
        ),
        ("bcbsma-100", "respiratory-failure", {"indication": None}, "indeterminate", "not record"),
        ("bcbsma-100", "newborn", {"age": 28 * DAY}, "not met", "at the start: 28 d"),
        ("bcbsma-100", "newborn", {"age": 28 * DAY - timedelta(seconds=1)}, "met", "27 d 23 h 59"),
        ("bcbsma-100", "prior-authorization", {}, "indeterminate", "not recorded here"),
        ("label", "gestational-age", {"gestational_age": "34w0d"}, "not met", "34w0d"),
        ("label", "gestational-age", {"gestational_age": "34w1d"}, "met", "34w1d"),
        ("label", "shunt", {"right_to_left_shunt_dependent": True}, "not met", "present"),
        ("label", "shunt", {"right_to_left_shunt_dependent": None}, "indeterminate", "not record"),
        ("label", "pulmonary-hypertension", {}, "met", "on echo: present"),
        (
            "label",
            "pulmonary-hypertension",
            {"echo_confirmed_ph": False},
            "indeterminate",
            "on echo: absent, clinical evidence is not recorded here",
        ),
        (
            "label",
            "pulmonary-hypertension",
            {"echo_confirmed_ph": None},
            "indeterminate",
            "on echo: not recorded, clinical evidence is not recorded here",
        ),
        ("clinical-summary", "oxygenation-index", {"oxygenation_index": 25.0}, "not met", "25"),
        ("clinical-summary", "oxygenation-index", {"oxygenation_index": 25.1}, "met", "25.1"),
        ("clinical-summary", "oxygenation-index", {"oxygenation_index": None}, "indeterminate", ""),
        ("clinical-summary", "cdh", {"cdh": True}, "not met", "hernia: present"),
        ("pacificsource", "age", {"age": 14 * DAY}, "not met", "14 d"),
        ("pacificsource", "age", {"age": 14 * DAY - timedelta(seconds=1)}, "met", "13 d 23 h"),
        ("pacificsource", "age", {"born": START + DAY}, "indeterminate", "born after it"),
        ("pacificsource", "age", {"born": None}, "indeterminate", "age at the start: not recorded"),
        ("pacificsource", "gestational-age", {"gestational_age": "33w6d"}, "not met", "33w6d"),
        ("pacificsource", "gestational-age", {"gestational_age": "34w0d"}, "met", "34w0d"),
        (
            "pacificsource",
            "echo",
            {"echo_confirmed_ph": None},
            "indeterminate",
            "on echo: not reco",
        ),
        ("pacificsource", "echo", {"echo_confirmed_ph": False}, "not met", "on echo: absent"),
        ("pacificsource", "cdh", {"cdh": True}, "not met", "present"),
    ],
)
def test_a_criterion_at_its_bound(
    policy: str, criterion: str, changes: dict[str, Any], state: State, says: str
) -> None:
    """Below, at and above its bound, and without the fact, a criterion says so and why."""
    given = answer(asked(policy, **changes), criterion)
    assert given.state == state
    assert says in given.rests_on


def test_either_of_two_facts_will_do() -> None:
    """Where any fact is enough, one is; an unknown one may still be it, two wrong ones are not."""
    of = {
        weeks: answer(asked("pacificsource", gestational_age=weeks), "gestational-age", way=1)
        for weeks in ("34w0d", None, "33w6d")
    }
    met, unknown, wrong = of.values()
    assert (met.state, met.rests_on) == ("met", "gestational age at birth: 34w0d")
    assert (unknown.state, unknown.gap) == ("indeterminate", "lacking")
    assert (wrong.state, wrong.recorded) == ("not met", "33w6d, 1 d")


@pytest.mark.parametrize("echo", [False, None])
def test_what_something_unrecorded_would_meet_raises_no_alert(*, echo: bool | None) -> None:
    """The label takes clinical evidence too, which nobody could record here: worksheet only."""
    assert gaps("nobody", echo_confirmed_ph=echo) == []
    given = asked("label", SoFar(DAY, DAY), echo_confirmed_ph=echo)
    assert given.overall == "indeterminate"


def test_policy_100_tells_older_patients_by_their_age() -> None:
    """S1 leaves the ARDS of a newborn open; of an adult or a child the whole start is not met."""
    newborn, child = (asked("bcbsma-100", indication="ards", age=days * DAY) for days in (1, 28))
    assert newborn.stages[0].state == "indeterminate"
    assert child.stages[0].state == "not met"


@pytest.mark.parametrize(
    ("cdh", "age", "state"),
    [
        (True, 28 * DAY - timedelta(seconds=1), "not met"),
        (True, 28 * DAY, "met"),
        (False, DAY, "met"),
        (None, DAY, "indeterminate"),
        (None, 28 * DAY, "met"),
    ],
)
def test_a_hernia_around_surgery(*, cdh: bool | None, age: timedelta, state: State) -> None:
    """S2: a newborn's diaphragmatic hernia is experimental under B too, and is told."""
    given = asked("pacificsource", indication="perioperative-chd", cdh=cdh, age=age)
    assert answer(given, "cdh", way=1).state == state
    told = gaps("pacificsource", indication="perioperative-chd", cdh=cdh, age=age)
    of_hernia = [gap for policy, gap, words in told if "hernia" in words]
    expected = {"not met": ["contradicted"], "indeterminate": ["lacking"], "met": []}
    assert of_hernia == expected[state]


@pytest.mark.parametrize(("dependent", "state"), [(True, "not met"), (False, "met")])
def test_dependence_stands_in_for_a_shunt(*, dependent: bool, state: State) -> None:
    """S2 A.3.b asks for more than is recorded, and the worksheet says what stands in for it."""
    given = answer(asked("pacificsource", right_to_left_shunt_dependent=dependent), "shunt")
    assert given.state == state
    assert "own: dependence on such a shunt stands in for it" in given.reference


def test_only_the_deciding_fact_is_told() -> None:
    """Of two facts that are both needed, the one that is wrong is what the answer rests on."""
    given = answer(
        asked("pacificsource", conventional_therapy_failed=False), "conventional-therapy"
    )
    assert given.rests_on == "failure of conventional therapy: absent"


def test_three_values() -> None:
    """All: the worst counts. Any: the best counts. Unknown lies between, for every combination."""
    order: tuple[State, ...] = ("not met", "indeterminate", "met")
    for states in product(order, repeat=3):
        ranks = [order.index(state) for state in states]
        assert all_of(states) == order[min(ranks)]
        assert any_of(states) == order[max(ranks)]


def test_what_is_said_of_a_whole_policy() -> None:
    """Everything met is met, the unknown stays unknown, and the worst word asks for a person."""
    so_far = SoFar(DAY, DAY, 50.0, 93.0)
    assert asked("pacificsource", so_far).overall == "met"
    assert asked("label", so_far).overall == "met"
    assert asked("bcbsma-100", so_far).overall == "indeterminate"
    assert asked("bcbsma-100", so_far, gestational_age="33w6d").overall == "review needed"
    assert asked("pacificsource", so_far, cdh=None).overall == "indeterminate"
    assert set(get_args(Overall)) == {"met", "indeterminate", "review needed"}


@pytest.mark.parametrize(
    ("changes", "ways", "stage"),
    [
        ({}, ("met", "not met"), "met"),
        ({"indication": "perioperative-chd"}, ("not met", "indeterminate"), "indeterminate"),
        ({"indication": "perioperative-chd", "age": 6600 * DAY}, ("not met", "not met"), "not met"),
        ({"indication": "ards"}, ("not met", "not met"), "not met"),
        ({"indication": None}, ("indeterminate", "indeterminate"), "indeterminate"),
    ],
)
def test_initiation_by_one_way_or_the_other(
    changes: dict[str, Any], ways: tuple[State, ...], stage: State
) -> None:
    """S2: an initiation is met by A or by B, whichever fits."""
    initiation = asked("pacificsource", **changes).stages[0]
    assert tuple(way.state for way in initiation.pathways) == ways
    assert initiation.state == stage


@pytest.mark.parametrize(
    ("age", "written", "state"),
    [
        (300 * DAY, "33w6d", "not met"),
        (300 * DAY, None, "indeterminate"),
        (400 * DAY, "33w6d", "met"),
        (400 * DAY, None, "met"),
    ],
)
def test_gestational_age_is_asked_of_infants(
    age: timedelta, written: str | None, state: State
) -> None:
    """S2 B: children below 18 years, and of infants 34 weeks at birth."""
    given = asked("pacificsource", age=age, gestational_age=written)
    assert answer(given, "gestational-age", way=1).state == state


@pytest.mark.parametrize(
    ("elapsed_h", "response_h", "measured", "state"),
    [
        (80, 71, True, "met"),
        (80, 72, True, "met"),
        (80, 73, True, "not met"),
        (72, None, True, "indeterminate"),
        (73, None, True, "not met"),
        (73, None, False, "indeterminate"),
        (73, 40, False, "met"),
    ],
)
def test_a_response_within_72_hours(
    *, elapsed_h: int, response_h: int | None, measured: bool, state: State
) -> None:
    """S2 B.3: improved or tapered in time; not yet is unknown until the 72 hours are over."""
    hour = timedelta(hours=1)
    response = None if response_h is None else response_h * hour
    so_far = SoFar(elapsed_h * hour, DAY, response=response, measured=measured)
    given = answer(asked("pacificsource", so_far, indication="perioperative-chd"), "response")
    assert given.state == state
    assert given.gap is None


def test_who_watches_is_there() -> None:
    """A criterion that is left to another rule is left to one that exists."""
    criteria = [c for policy in POLICIES.values() for way in policy.pathways for c in way.criteria]
    watching = {criterion.watched_by for criterion in criteria} - {""}
    assert watching == {"no-response-72h"}
    assert watching <= {rule.name for rule in RULES}


@pytest.mark.parametrize(
    ("so_far", "criterion", "state", "overall"),
    [
        (SoFar(14 * DAY, 14 * DAY, 40.0, 95.0), "duration", "met", "met"),
        (SoFar(14 * DAY + timedelta(seconds=1), DAY, 40.0, 95.0), "duration", "not met", "review"),
        (SoFar(DAY, 14 * DAY + timedelta(seconds=1), 40.0, 95.0), "duration", "not met", "review"),
        (SoFar(DAY, DAY, 21.0, 95.0), "oxygen-need", "not met", "review"),
        (SoFar(DAY, DAY, 100.0, 78.0), "oxygen-need", "indeterminate", "indeterminate"),
        (SoFar(DAY, DAY, 40.0, None), "oxygen-need", "indeterminate", "indeterminate"),
        (SoFar(DAY, DAY, 21.5, 80.0), "oxygen-need", "met", "met"),
    ],
)
def test_continuation(so_far: SoFar, criterion: str, state: State, overall: str) -> None:
    """S2: a need of oxygen and at most 14 days; beyond, a person reviews."""
    given = asked("pacificsource", so_far)
    assert answer(given, criterion).state == state
    assert given.overall.startswith(overall)


def test_past_a_limit_never_reads_as_at_it() -> None:
    """A second past 14 days is written as a begun minute, not as 14 days."""
    given = answer(asked("label", SoFar(14 * DAY + timedelta(seconds=1), DAY)), "duration")
    assert given.rests_on == "time on therapy: 14 d 1 min elapsed, 1 d delivered"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0 s"), (0.4, "1 s"), (59, "59 s"), (59.4, "1 min"), (60, "1 min"), (61, "2 min")],
)
def test_a_response_is_told_once(seconds: float, written: str) -> None:
    """Begun minutes count, below a minute seconds; the same moment is not told in two words."""
    so_far = SoFar(DAY, DAY, response=timedelta(seconds=seconds), measured=True)
    given = answer(asked("pacificsource", so_far, indication="perioperative-chd"), "response")
    assert given.rests_on == f"improvement or taper: after {written}"


def test_continuation_rests_on_initiation() -> None:
    """S2 II.1: what was not met at the start is not met later; unknown stays unknown."""
    so_far = SoFar(DAY, DAY, 50.0, 93.0)
    assert answer(asked("pacificsource", so_far, cdh=True), "initiation").state == "not met"
    assert answer(asked("pacificsource", so_far, cdh=None), "initiation").state == "indeterminate"


def test_without_a_course() -> None:
    """Before a course has begun nothing about it is assumed."""
    given = hold(POLICIES["pacificsource"], facts_of(context(), None))
    assert answer(given, "age").rests_on == "age at the start: no course has begun"
    assert answer(given, "duration").state == "indeterminate"


def test_every_fact_can_be_told() -> None:
    """Every fact that a policy may name is there, and every flag of the context has its words."""
    assert set(facts_of(Context(), None)) == set(MEASURES)
    assert set(FLAGS) == set(Flags.__struct_fields__)


def test_whose_policy() -> None:
    """A payer is known by any of its names in any case; the label is asked whoever pays."""
    names = {
        payer: [policy.name for policy in asking(payer)]
        for payer in (None, "BCBSMA", " PacificSource  Commercial ", "PacificSource Medicaid")
    }
    assert names[None] == names["PacificSource Medicaid"] == ["label"]
    assert names["BCBSMA"] == ["label", "bcbsma-100"]
    assert names[" PacificSource  Commercial "] == ["label", "pacificsource"]


def gaps(payer: str, **changes: Any) -> list[tuple[str, str, str]]:
    """Everything that an alert would list."""
    return [tuple(one) for one in missing(asking(payer), facts_of(context(**changes), START))]


def test_an_alert_lists_what_is_asked_of_this_patient() -> None:
    """Of two ways only the one that fits is listed, and nothing that is never recorded here."""
    assert gaps("bcbsma") == gaps("pacificsource") == []
    assert gaps("pacificsource", cdh=True, echo_confirmed_ph=None) == [
        ("pacificsource", "lacking", "echo evidence of pulmonary hypertension (not recorded)"),
        ("pacificsource", "contradicted", "no congenital diaphragmatic hernia (present)"),
    ]


def test_an_open_question_of_the_policy_is_told_as_contradicted() -> None:
    """34w0d under S1 is known, and no further record would settle it."""
    (label, payer) = gaps("bcbsma", gestational_age="34w0d")
    assert label[:2] == ("label", "contradicted")
    assert payer[:2] == ("bcbsma-100", "contradicted")
    assert "34w0d: the policy says" in payer[2]


def test_an_alert_while_the_way_is_unknown() -> None:
    """Without an indication either way may fit: that is lacking, with what both would ask."""
    unknown = gaps("pacificsource", indication=None, echo_confirmed_ph=False)
    listed = [one for one in unknown if one[0] != "label"]
    assert [(gap, words.split(" (")[0]) for _, gap, words in listed] == [
        (
            "lacking",
            (
                "persistent pulmonary hypertension of the newborn"
                " or perioperative care of a congenital heart defect"
            ),
        )
    ]
    early = gaps("pacificsource", indication=None, gestational_age="33w0d", age=2 * DAY)
    assert ("pacificsource", "contradicted") in [one[:2] for one in early]


def test_a_long_list_says_how_much_more() -> None:
    """The sentence stays short: what does not fit is counted."""
    items = tuple(("label", f"criterion number {n} of very many (not recorded)") for n in range(30))
    course = CourseState(START, START, START, counting=True, lacking=Asked(items, START))
    limits: Any = None  # no number of a profile is in the sentence
    told = RULE.finding(PatientState("p1", course=course), limits, START)
    shown = told.summary.count("criterion number")
    assert len(told.summary) < MOST_CHARS + len("; and 30 more")
    assert told.summary.endswith(f"; and {30 - shown} more")
    assert told.source == "label 020845s020"


def test_reading_an_example() -> None:
    """A well-formed policy is read, its payers as they are compared."""
    (policy,) = policies_from({"example.toml": EXAMPLE})
    assert isinstance(policy, Policy)
    assert policy.applies_to("EXAMPLE health")
    assert not policy.applies_to(None)


def test_every_fault_at_once() -> None:
    """All faults of all files come together, each with its file and key."""
    tests = """[
        { fact = "gestational_age", at_least = 34.6, bellow = 3 },
        { fact = "cdh", above = true },
        { fact = "spo2_pct", above = nan },
        { fact = "weight", at_least = 3 },
        { fact = "cdh" },
        { fact = "age_at_start", below = "14", indeterminate_at = "14 d" },
        { fact = "indication", is = "asthma" },
    ]"""
    bad = (
        EXAMPLE.replace('"payer"', '"payers"')
        .replace("2026-01-01", '"2026"')
        .replace('"nowhere"', '""\nextra = 1')
        .replace('"initiation"', '"start"')
        .replace('[{ fact = "age_at_start", below = "14 d" }]', tests)
    )
    again = '\n[[pathway.criterion]]\nid = "age"\n'
    pathway = "example.toml: pathway[1]"
    test = f"{pathway}.criterion[1].tests"
    assert faults_of({"example.toml": bad + again, "torn.toml": "name ="}) == [
        "example.toml: kind: 'payers' is none of payer, label, summary",
        "example.toml: effective: '2026' is no date",
        "example.toml: source: '' is no text",
        f"{pathway}.stage: 'start' is none of initiation, continuation",
        f"{test}[1].at_least: 34.6 is not a gestational age such as '34w0d'",
        f"{test}[1].bellow: is no key here",
        f"{test}[2].above: is no comparison for a flag",
        f"{test}[3].above: nan is not a number",
        f"{test}[4].fact: 'weight' is none of {', '.join(MEASURES)}",
        f"{test}[5]: compares with nothing: one of at_least, above, at_most, below, is",
        f"{test}[6].below: '14' is not a length of time such as '14 d'",
        f"{test}[6].because: goes with indeterminate_at or otherwise = 'indeterminate'",
        (
            f"{test}[7].is: 'asthma' is not one of hrf-pphn, perioperative-chd, ards,"
            " lung-transplant, other"
        ),
        f"{pathway}.criterion[2].asks: is missing",
        f"{pathway}.criterion[2].reference: is missing",
        f"{pathway}.criterion[2].tests: is missing",
        f"{pathway}.criterion: the id 'age' is there twice",
        "example.toml: extra: is no key here",
        "torn.toml: no TOML: Invalid value (at end of document)",
    ]


def test_faults_between_parts() -> None:
    """Names that contradict each other, within a file and between files, are faults too."""
    assert faults_of({"other.toml": EXAMPLE, "example.toml": EXAMPLE}) == [
        "other.toml: name: 'example' is not the file's own",
    ]
    mine = EXAMPLE.replace('"example"', '"mine"')
    assert faults_of({"example.toml": EXAMPLE, "mine.toml": mine}) == [
        "mine.toml: payers: 'example health' is example's too",
    ]
    label = EXAMPLE.replace('"payer"', '"label"').replace('"one"', '"one"\nfits = "size"')
    assert faults_of({"example.toml": label}) == [
        "example.toml: pathway[1].fits: no criterion has the id 'size'",
        "example.toml: payers: a payer's policy has some, any other has none",
    ]
    twice = EXAMPLE + EXAMPLE[EXAMPLE.index("[[pathway]]") :]
    assert faults_of({"example.toml": twice}) == [
        "example.toml: pathway: of several ways to initiation each needs its fits",
    ]
