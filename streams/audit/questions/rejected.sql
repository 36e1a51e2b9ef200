-- title: Refused records
-- asks: What was refused, from which source and for which reason, and since when?
-- tables: dead_letter
-- plot: bars x=reason y=n_records
-- column: n_days = Days with any
-- says: {n_records record was|records were} refused.
-- n: n_records
-- A refused record names no unit that could be trusted, so every unit's answer holds them all.
SELECT
    reason,
    topic,
    count(*) AS n_records,
    count(DISTINCT time_bucket(INTERVAL 1 DAY, time)) AS n_days,
    min(time) AS first_at,
    max(time) AS last_at
FROM dead_letter
WHERE time >= $start AND time < $stop
GROUP BY reason, topic
ORDER BY n_records DESC, reason, topic
