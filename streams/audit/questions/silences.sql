-- title: What was silenced
-- asks: Who silenced which rule for whom, why and for how long, and what came in that time?
-- tables: silence, occurrence, whereabouts, seconds
-- column: minutes = Lasted, min
-- column: highest_meanwhile = Highest priority meanwhile
-- says: {rows silence|silences} of {minutes} min in all; {n_alerts_meanwhile alert was|alerts were}
--   open, or came, meanwhile.
-- n: silences
SELECT
    s.since,
    s.until,
    round(seconds(s.since, s.until) / 60, 1) AS minutes,
    s."by" AS silenced_by,
    s.reason,
    s.patient,
    w.unit,
    s.rule,
    count(o.id) AS n_alerts_meanwhile,
    coalesce(arg_max(o.priority, o.rank), 'none') AS highest_meanwhile
FROM silence AS s
LEFT JOIN whereabouts AS w USING (patient)
LEFT JOIN occurrence AS o
    ON o.patient = s.patient AND o.rule = s.rule
    AND o.raised_at < s.until AND coalesce(o.until > s.since, true)
WHERE s.since >= $start AND s.since < $stop AND ($unit IS NULL OR w.unit = $unit)
GROUP BY s.id, s.since, s.until, s."by", s.reason, s.patient, w.unit, s.rule
ORDER BY s.since, s.patient, s.rule, s.id
