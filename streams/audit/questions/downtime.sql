-- title: When the monitor was blind
-- asks: When did the monitor itself, or a whole unit, see nothing, and what was told late for it?
-- tables: occurrence, told, seconds
-- parameter: late_page_s = 120 | a page that came longer after its alert was due counts as late (the
--   pager says so from there on)
-- plot: bars x=since y=minutes
-- column: since = Start of the stretch
-- column: minutes = Lasted, min
-- column: what = Blind was
-- column: n_told_late = Late pages
-- says: {rows stretch|stretches}, {minutes} min in all, in which the monitor or a whole unit saw
--   nothing; {n_told_late page|pages} came late for it.
-- n: stretches
-- The watchdog's word for the monitor (monitor-blind), the monitor's for a unit whose devices fell
-- silent together (telemetry-lost). A device alone is in `blind-time`. The monitor's own blindness is
-- every unit's.
WITH stretches AS (
    SELECT
        CASE WHEN rule = 'monitor-blind' THEN 'monitor' ELSE 'unit' END AS what,
        CASE WHEN rule = 'monitor-blind' THEN NULL ELSE unit END AS unit,
        onset AS since, until, raised_for AS reason, priority, id
    FROM occurrence
    WHERE (rule = 'monitor-blind' OR (rule = 'telemetry-lost' AND bed = '*'))
        AND onset < $stop AND coalesce(until, $stop) >= $start
        AND ($unit IS NULL OR rule = 'monitor-blind' OR unit = $unit)
),
late AS (
    SELECT unit, due_at
    FROM occurrence
    JOIN told USING (id)
    WHERE seconds(due_at, told_at) > $late_page_s
)
SELECT
    s.since,
    s.until,
    round(seconds(s.since, coalesce(s.until, $stop)) / 60, 1) AS minutes,
    s.until IS NULL AS still_open,
    s.what,
    s.unit,
    s.priority,
    s.reason,
    count(l.due_at) AS n_told_late
FROM stretches AS s
LEFT JOIN late AS l
    ON l.due_at >= s.since AND l.due_at < coalesce(s.until, $stop)
    AND (s.unit IS NULL OR s.unit = l.unit)
GROUP BY s.since, s.until, s.what, s.unit, s.priority, s.reason, s.id
ORDER BY s.since, s.what, s.unit NULLS FIRST, s.id
