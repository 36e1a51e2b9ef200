-- title: How alarms performed
-- asks: How many alerts were there of each rule, and how long did it take from the onset until they
--   were decided, told, acknowledged and over?
-- tables: occurrence, told, acknowledged, seconds
-- parameter: slow_s = 900 | an alert that was told and that nobody acknowledged for longer counts as
--   unacknowledged (the pager calls a page too old after as long)
-- plot: bars x=rule y=n_alerts
-- column: n_unacknowledged = Nobody for {slow_s} s
-- column: n_open = Still open
-- column: decided_p50_s = Decided after, median
-- column: decided_p95_s = Decided after, 95th percentile
-- column: told_p50_s = Told after, median
-- column: told_p95_s = Told after, 95th percentile
-- column: acknowledged_p50_s = Acknowledged after, median
-- column: acknowledged_p95_s = Acknowledged after, 95th percentile
-- column: open_p50_s = Open for, median
-- column: open_p95_s = Open for, 95th percentile
-- says: {n_alerts alert|alerts}; {n_told was|were} told to somebody, {n_acknowledged was|were}
--   acknowledged; {n_unacknowledged} stayed without anybody for longer than {slow_s} s.
-- n: n_alerts
-- An alert belongs to the period in which it was raised, and is unacknowledged in the one in which the
-- limit passed: so an alert of just before midnight is missed by neither of two reports. What is
-- told to nobody, such as a reminder, has no time to be told in. Percentiles are values that occurred (nearest rank).
WITH timed AS (
    SELECT
        rule,
        priority,
        rank,
        n_escalated,
        told_at,
        acknowledged_at,
        raised_at >= $start AS is_new,
        seconds(onset, raised_at) AS decided_s,
        seconds(due_at, told_at) AS told_s,
        seconds(told_at, acknowledged_at) AS acknowledged_s,
        seconds(raised_at, until) AS open_s,
        seconds(told_at, least(coalesce(acknowledged_at, $stop), coalesce(until, $stop)))
            > $slow_s AND seconds($start, told_at) + $slow_s >= 0 AS alone
    FROM occurrence
    LEFT JOIN told USING (id)
    LEFT JOIN acknowledged USING (id)
    WHERE raised_at < $stop AND ($unit IS NULL OR unit = $unit)
)
SELECT
    rule,
    priority,
    count(*) FILTER (WHERE is_new) AS n_alerts,
    count(told_at) FILTER (WHERE is_new) AS n_told,
    count(acknowledged_at) FILTER (WHERE is_new) AS n_acknowledged,
    count(*) FILTER (WHERE alone) AS n_unacknowledged,
    coalesce(sum(n_escalated) FILTER (WHERE is_new), 0) AS n_escalations,
    count(*) FILTER (WHERE is_new AND open_s IS NULL) AS n_open,
    quantile_disc(decided_s, 0.5) FILTER (WHERE is_new) AS decided_p50_s,
    quantile_disc(decided_s, 0.95) FILTER (WHERE is_new) AS decided_p95_s,
    quantile_disc(told_s, 0.5) FILTER (WHERE is_new) AS told_p50_s,
    quantile_disc(told_s, 0.95) FILTER (WHERE is_new) AS told_p95_s,
    quantile_disc(acknowledged_s, 0.5) FILTER (WHERE is_new) AS acknowledged_p50_s,
    quantile_disc(acknowledged_s, 0.95) FILTER (WHERE is_new) AS acknowledged_p95_s,
    quantile_disc(open_s, 0.5) FILTER (WHERE is_new) AS open_p50_s,
    quantile_disc(open_s, 0.95) FILTER (WHERE is_new) AS open_p95_s
FROM timed
WHERE is_new OR alone
GROUP BY rule, priority, rank
ORDER BY rank DESC, rule
