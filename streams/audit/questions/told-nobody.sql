-- title: Alerts that reached nobody
-- asks: Which alerts, reminders apart, got through to no receiver, and why?
-- tables: occurrence, told, page, seconds
-- column: open_min = Open for
-- says: {rows alert|alerts} got through to no receiver.
-- n: alerts
SELECT
    o.raised_at,
    o.rule,
    o.priority,
    o.unit,
    o.bed,
    o.patient,
    round(seconds(o.raised_at, coalesce(o.until, $stop)) / 60, 1) AS open_min,
    o.until IS NULL AS still_open,
    coalesce(string_agg(DISTINCT p.sink || ': ' || p.reason, '; ' ORDER BY p.sink || ': ' || p.reason)
        FILTER (WHERE p.outcome <> 'delivered'), 'no attempt is on record') AS reason,
    o.id AS alert
FROM occurrence AS o
LEFT JOIN told AS t USING (id)
LEFT JOIN page AS p ON p.alert = o.id AND p.phase <> 'cleared'
WHERE o.rank > 0 AND t.told_at IS NULL
    AND o.raised_at >= $start AND o.raised_at < $stop AND ($unit IS NULL OR o.unit = $unit)
GROUP BY o.raised_at, o.rule, o.priority, o.unit, o.bed, o.patient, o.until, o.id
ORDER BY o.raised_at, o.rule, o.id
