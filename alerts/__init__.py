"""Judgement and telling: rules, limits, occurrences, and the decision whom to tell again.

Imports ``schemas`` only. The rules, limits and occurrences know no clock and no socket; the sinks
in ``alerts.sinks`` are the one place that talks to the outside.
"""
