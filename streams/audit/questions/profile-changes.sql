-- title: Changes of the limits
-- asks: Who changed by which profile a patient is judged, when, from what to what, and how many
--   alerts were judged by the new one?
-- tables: profile_change, alert
-- says: {rows change|changes} of the limits that a patient is judged by;
--   {n_alerts_until_next_change alert was|alerts were} judged by the new ones.
-- n: changes
WITH changes AS (
    SELECT *, lead(time) OVER (PARTITION BY patient ORDER BY time, old, new) AS next_change
    FROM profile_change
)
SELECT
    c.time,
    c.patient,
    c.unit,
    c.cause,
    coalesce(c."by", 'not said') AS changed_by,
    c.old AS old_version,
    c.new AS new_version,
    c.record AS course_record,
    count(a.id) AS n_alerts_until_next_change
FROM changes AS c
LEFT JOIN alert AS a
    ON a.patient = c.patient AND a.rules_version = c.new AND a.phase = 'raised'
    AND a."at" >= c.time AND a."at" < coalesce(c.next_change, $stop)
WHERE c.time >= $start AND c.time < $stop AND ($unit IS NULL OR c.unit = $unit)
GROUP BY c.time, c.patient, c.unit, c.cause, c."by", c.old, c.new, c.record
ORDER BY c.time, c.patient, c.old, c.new
