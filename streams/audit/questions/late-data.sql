-- title: Late and out of order
-- asks: Which samples, results and pages came late or out of their order?
-- tables: telemetry, lab, occurrence, told, whereabouts, seconds
-- parameter: late_result_min = 60 | a result that took longer from collection counts as late (site)
-- parameter: late_page_s = 120 | a page that came longer after its alert was due counts as late (the
--   pager says so from there on)
-- column: of_what = What
-- column: n_late = Late or out of order
-- column: p50_s = Took, median
-- column: p95_s = Took, 95th percentile
-- column: longest_s = Took at most
-- says: {n_late} of {n_records sample, result or page|samples, results and pages} came late or out
--   of order.
-- n: n_records
-- When a sample arrived is not on record; what is, is its device's own counter: one that does not go
-- up with time is out of order (a clock put back, or stored samples of an outage mixed in). A device
-- that restarts counts from 0 again and is not counted for it.
WITH counters AS (
    SELECT
        device, unit, seq,
        lag(seq) OVER (PARTITION BY device ORDER BY time, seq) AS before
    FROM telemetry
    WHERE seq IS NOT NULL AND time >= $start AND time < $stop AND ($unit IS NULL OR unit = $unit)
),
results AS (
    SELECT code, w.unit, seconds(time, resulted) AS took_s
    FROM lab
    LEFT JOIN whereabouts AS w USING (patient)
    WHERE resulted >= $start
        AND ($unit IS NULL OR w.unit = $unit)
),
pages AS (
    SELECT rule, unit, seconds(due_at, told_at) AS took_s
    FROM occurrence
    JOIN told USING (id)
    WHERE told_at IS NOT NULL AND due_at >= $start AND due_at < $stop
        AND ($unit IS NULL OR unit = $unit)
)
SELECT
    'samples of a device' AS of_what,
    device AS name,
    unit,
    count(*) AS n_records,
    count(*) FILTER (WHERE seq <= before AND seq > 0) AS n_late,
    NULL::DOUBLE AS p50_s,
    NULL::DOUBLE AS p95_s,
    NULL::DOUBLE AS longest_s
FROM counters
GROUP BY device, unit
UNION ALL
SELECT
    'results of a test', code, unit, count(*),
    count(*) FILTER (WHERE took_s > 60 * $late_result_min),
    quantile_disc(took_s, 0.5), quantile_disc(took_s, 0.95), max(took_s)
FROM results
GROUP BY code, unit
UNION ALL
SELECT
    'pages of a rule', rule, unit, count(*),
    count(*) FILTER (WHERE took_s > $late_page_s),
    quantile_disc(took_s, 0.5), quantile_disc(took_s, 0.95), max(took_s)
FROM pages
GROUP BY rule, unit
ORDER BY of_what, name, unit NULLS LAST
