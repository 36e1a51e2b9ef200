-- title: The load of alarms
-- asks: How many alerts and pages came for each day that a patient was treated, and how many of
--   them were repeats or silenced?
-- tables: telemetry, occurrence, told, silence, seconds
-- parameter: bucket = week of day, week, month, quarter | the stretch of time that a row is about
-- parameter: again_s = 3600 | an alert that comes again so soon after it was over is a repeat
-- plot: spc x=since y=n_alerts n=patient_days
-- column: patient_days = Patient-days
-- column: alerts_per_patient_day = Alerts per patient-day
-- column: silenced_pct = Silenced
-- column: n_pages_again = Pages told again
-- says: {n_alerts alert|alerts} on {patient_days patient-day|patient-days}, {n_alerts per
--   patient_days} a day[; {n_repeats came again soon after it was|came again soon after they were}
--   over][; {n_silenced was|were} silenced]; {n_pages page|pages} in all.
-- n: n_alerts
-- A patient-day is a day (UTC) with a sample of a patient to whom a device delivered. Reminders
-- (priority info) are counted apart: they page nobody. The first and the last row may be of a part.
WITH days AS (
    SELECT DISTINCT patient, unit, date_trunc('day', time) AS day
    FROM telemetry
    WHERE mode IN ('delivering', 'backup') AND coalesce(generation, 'real') = 'real'
        AND time >= $start AND time < $stop AND ($unit IS NULL OR unit = $unit)
),
treated AS (
    SELECT date_trunc($bucket, day) AS since, count(DISTINCT (patient, day)) AS patient_days
    FROM days
    GROUP BY ALL
),
raised AS (
    SELECT
        o.*,
        coalesce(t.n_told, 0) AS n_told,
        coalesce(t.n_told - t.n_sinks, 0) AS n_told_again,
        seconds(lag(o.until) OVER (PARTITION BY o.rule, o.patient ORDER BY o.raised_at, o.id), o.raised_at)
            <= $again_s AS again,
        EXISTS (
            FROM silence AS s
            WHERE s.patient = o.patient AND s.rule = o.rule
                AND o.raised_at < s.until AND coalesce(o.until > s.since, true)
        ) AS silenced
    FROM occurrence AS o
    LEFT JOIN told AS t USING (id)
),
counted AS (
    SELECT
        date_trunc($bucket, raised_at) AS since,
        count(*) FILTER (WHERE rank > 0) AS n_alerts,
        count(*) FILTER (WHERE rank = 0) AS n_reminders,
        count(*) FILTER (WHERE rank > 0 AND again) AS n_repeats,
        count(*) FILTER (WHERE rank > 0 AND silenced) AS n_silenced,
        sum(n_told) AS n_pages,
        sum(n_told_again) AS n_pages_again
    FROM raised
    WHERE raised_at >= $start AND raised_at < $stop AND ($unit IS NULL OR unit = $unit)
    GROUP BY ALL
)
SELECT
    since,
    coalesce(patient_days, 0) AS patient_days,
    coalesce(n_alerts, 0) AS n_alerts,
    round(coalesce(n_alerts, 0) / nullif(patient_days, 0), 3) AS alerts_per_patient_day,
    coalesce(n_reminders, 0) AS n_reminders,
    coalesce(n_repeats, 0) AS n_repeats,
    coalesce(n_silenced, 0) AS n_silenced,
    round(100 * n_silenced / nullif(n_alerts, 0), 1) AS silenced_pct,
    coalesce(n_pages, 0) AS n_pages,
    coalesce(n_pages_again, 0) AS n_pages_again
FROM treated
FULL JOIN counted USING (since)
ORDER BY since
