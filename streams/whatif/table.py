"""A report in words, for people: the summary first, then every difference, the worst first.

All times are UTC. Knows words and columns; what is counted ``report`` knows.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from textwrap import wrap

from schemas.alert import PRIORITIES, Alert, Priority, place
from schemas.span import write_span
from schemas.stand_in import whole_unit
from streams.whatif.coverage import Answer, Trade
from streams.whatif.difference import VERDICTS, Verdict
from streams.whatif.report import Compared, Differs, Report, Summary

_MOST = 10
"""So many of a kind are shown; JSON has all of them."""
_HOUR_S = 3600
_WORDS: dict[Verdict, str] = {
    "vanishes": "old alerts that the new side does not raise",
    "appears": "alerts that the old side did not raise",
    "priority": "raised or highest at another priority",
    "moved": "raised earlier or later",
    "joins": "old alerts within one that the new side keeps open longer",
    "splits": "raised again where the old side keeps one open",
    "lasts": "raised alike; they escalate or end at another time",
    "same": "not different",
}


def table(report: Report) -> Iterator[str]:
    """Yield the lines of a report."""
    summary = report.summary
    yield f"What if: {_title(summary)}"
    unit = f", unit {summary.unit}" if summary.unit else ""
    yield f"{_when(summary.start)} to {_when(summary.to)}{unit}"
    yield (
        f"patients: {summary.patients}, patient-days of nitric oxide: {summary.patient_days:.2f},"
        f" records read: {summary.records}"
    )
    for doubt in summary.doubts:
        yield f"Note: {doubt}"
    for compared in summary.compared:
        yield from _compared(compared)
    yield from _load(summary)
    yield from _hazards(summary)
    for compared in summary.compared:
        yield from _list(report, compared)


def _title(summary: Summary) -> str:
    return ", then ".join(one.name for one in summary.load)


def _compared(compared: Compared) -> Iterator[str]:
    yield ""
    yield f"Alerts, from {compared.old_side} to {compared.new_side}"
    yield f"  {'':22}" + "".join(f"{verdict:>9}" for verdict in VERDICTS)
    for rule, counts in [*compared.by_rule.items(), ("all", compared.verdicts)]:
        yield f"  {rule:22}" + "".join(f"{counts[verdict]:9}" for verdict in VERDICTS)
    for verdict in VERDICTS:
        if compared.verdicts[verdict] and verdict != "same":
            yield f"  {verdict}: {_WORDS[verdict]}"


def _load(summary: Summary) -> Iterator[str]:
    yield ""
    yield "Load: alerts by the highest priority they had, pages as the pager would send them"
    yield f"  {'':20}" + "".join(f"{one.name:>24}" for one in summary.load)
    yield f"  {'':20}" + "".join(f"{'number':>14}{'a day':>10}" for _ in summary.load)
    for kind in ("alerts", "pages"):
        for priority in reversed(PRIORITIES):
            if kind == "pages" and priority == "info":
                continue
            cells = [_cell(getattr(one, kind)[priority], summary) for one in summary.load]
            yield f"  {f'{kind}, {priority}':20}" + "".join(cells)
        totals = [_cell(sum(getattr(one, kind).values()), summary) for one in summary.load]
        yield f"  {f'{kind}, all':20}" + "".join(totals)


def _cell(number: int, summary: Summary) -> str:
    days = summary.patient_days
    rate = f"{number / days:.2f}" if days else "-"
    return f"{number:14}{rate:>10}"


_COLUMNS = ("covered", "told", "late, median", "worst", "longest untold", "beside", "open beside")
_CELLS = "{:>8} {:>11} {:>13} {:>10} {:>15} {:>13} {:>14}"


def _hazards(summary: Summary) -> Iterator[str]:
    width = max(4, *(len(one.name) for one in summary.load))
    yield ""
    yield "Time in hazard, by the numbers of default without hold times, whoever judges"
    yield f"    {'':{width}} {_CELLS.format(*_COLUMNS)}"
    calm = []
    for trade in summary.hazards:
        if not trade.episodes and not any(answer.alerts for answer in trade.answers):
            calm.append(trade.rule)
            continue
        times = "once" if trade.episodes == 1 else f"{trade.episodes} times"
        there = f"{times}, {_length(trade.hazard_min * 60)}" if trade.episodes else "never"
        yield f"  {trade.rule}: {trade.says}: {there}"
        for answer in trade.answers:
            yield f"    {answer.side:{width}} {_answer(trade, answer)}"
    if calm:
        yield from _wrapped(f"no hazard and no alert: {', '.join(calm)}")
    yield from _wrapped(_LEGEND)


_LEGEND = (
    "covered: share of that time in which an alert of the rule was open. told: hazards that met"
    " one. late: how long after the hazard began. beside: alerts with no hazard behind them, of"
    " all. open beside: how long alerts were open with no hazard. An alert that is always open"
    " covers everything, so read the first column with the last."
)


def _wrapped(text: str) -> Iterator[str]:
    yield from wrap(text, 96, initial_indent="  ", subsequent_indent="  ")


def _answer(trade: Trade, answer: Answer) -> str:
    share = "-" if answer.covered_share is None else f"{answer.covered_share:.1%}"
    return _CELLS.format(
        share,
        f"{answer.told} of {trade.episodes}",
        _length(answer.median_late_s),
        _length(answer.worst_late_s),
        _length(answer.longest_untold_s),
        f"{answer.beside} of {answer.alerts}",
        _length(answer.beside_min * 60),
    )


def _length(seconds: float | None) -> str:
    """Write a length; its seconds only where it is short."""
    if seconds is None:
        return "-"
    whole = round(seconds) if seconds < _HOUR_S else round(seconds / 60) * 60
    return write_span(timedelta(seconds=whole))


def _list(report: Report, compared: Compared) -> Iterator[str]:
    """Yield the differences, those of one verdict, priority and rule under one heading."""
    sides = (compared.old_side, compared.new_side)
    found = [one for one in report.differs if (one.old_side, one.new_side) == sides]
    yield ""
    yield f"Differences from {sides[0]} to {sides[1]}, worst first" + ("" if found else ": none")
    for (verdict, priority, rule), group in groupby(found, key=_kind):
        alike = list(group)
        yield f"  {verdict}, {priority}: {rule} ({len(alike)})"
        for differs in alike[:_MOST]:
            yield from _entry(differs, sides)
        if len(alike) > _MOST:
            yield f"    ... and {len(alike) - _MOST} more; --format json has them all"


def _kind(differs: Differs) -> tuple[Verdict, Priority, str]:
    return differs.verdict, differs.priority, differs.rule


def _entry(differs: Differs, sides: tuple[str, str]) -> Iterator[str]:
    whole = differs.patient == whole_unit(differs.unit)
    who = (
        place(differs.bed, differs.unit) if whole else f"{differs.unit}, patient {differs.patient}"
    )
    if differs.moved_s:
        by = write_span(timedelta(seconds=abs(differs.moved_s)))
        who += f", {by} {'later' if differs.moved_s > 0 else 'earlier'}"
    stories = [_story(told) for told in (differs.old, differs.new) if told is not None]
    if len(stories) == 1:
        yield f"    {who}: {stories[0]}"
        return
    yield f"    {who}"
    width = max(map(len, sides))
    for name, story in zip(sides, stories, strict=True):
        yield f"      {name:{width}}  {story}"


def _story(told: list[Alert]) -> str:
    """Write the first transition with its time and sentence, the others by how much later."""
    first = told[0]
    parts = [f"{_when(first.at)} {_phase(first)}"]
    parts += [
        f"after {_length((alert.at - first.at).total_seconds())} {_phase(alert)}"
        for alert in told[1:]
    ]
    return f"{', '.join(parts)}: {first.summary}"


def _phase(alert: Alert) -> str:
    return (
        f"over ({alert.reason})" if alert.phase == "cleared" else f"{alert.phase} {alert.priority}"
    )


def _when(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
