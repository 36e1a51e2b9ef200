-- title: Which version judged
-- asks: By which rules and which profile was each alert judged, and from when to when?
-- tables: alert
-- says: {n_alerts alert was|alerts were} judged, by {rows combination|combinations} of version,
--   profile and rule.
-- n: n_alerts
SELECT
    rules_version,
    profile,
    rule,
    count(*) AS n_alerts,
    count(DISTINCT patient) AS n_patients,
    min("at") AS first_at,
    max("at") AS last_at
FROM alert
WHERE phase = 'raised' AND "at" >= $start AND "at" < $stop AND ($unit IS NULL OR unit = $unit)
GROUP BY rules_version, profile, rule
ORDER BY rules_version, profile, rule
