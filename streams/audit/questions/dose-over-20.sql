-- title: Set dose above 20 ppm
-- asks: Was the set dose above the limit, for how many minutes, by how much, and who knew?
-- tables: ran, given, course, alert, action
-- parameter: limit_ppm = 20.0 | the set dose above which minutes count (S0; label)
-- parameter: least_coverage_pct = 90.0 | with fewer samples a "no" cannot be said
-- plot: bars x=patient y=over_min
-- column: over_min = Above {limit_ppm} ppm
-- column: beyond_order_min = Beyond any order
-- column: unseen_over_min = Above while unseen
-- column: area_ppm_min = Area above
-- column: first_at = First above
-- column: unknown_dose_min = Dose not known
-- says: {yes} of {rows course|courses} above {limit_ppm} ppm[; {no} not]; {indeterminate}
--   indeterminate.[ In all {over_min} min above it, {beyond_order_min} min of them beyond any
--   order.]
-- n: courses
-- Of a course that goes beyond the period only the part within is counted.
WITH course_ AS (
    SELECT patient, unit, start, stop, start_us, from_us, to_us, coverage_pct
    FROM ran($start, $stop, $unit)
),
part AS (
    SELECT
        course_.patient, start_us, dose_ppm, blind,
        greatest(begin_us, from_us) AS begin_us, least(until_us, to_us) AS until_us
    FROM course_ JOIN given ON given.patient = course_.patient
        AND begin_us < to_us AND until_us > from_us
),
marked AS (
    SELECT
        *,
        coalesce(dose_ppm > $limit_ppm, false) AS over,
        -- An episode begins where the dose was not above the limit just before.
        coalesce(dose_ppm > $limit_ppm, false) AND NOT coalesce(
            lag(coalesce(dose_ppm > $limit_ppm, false) AND until_us = at_us) OVER along, false
        ) AS begins
    FROM (
        SELECT *, lead(begin_us) OVER (PARTITION BY patient, start_us ORDER BY begin_us) AS at_us
        FROM part
    )
    WINDOW along AS (PARTITION BY patient, start_us ORDER BY begin_us)
),
summed AS (
    SELECT
        patient, start_us,
        sum(begins::INTEGER) AS episodes,
        sum(CASE WHEN over THEN until_us - begin_us ELSE 0 END)::BIGINT / 60000000 AS over_min,
        sum(CASE WHEN over AND blind THEN until_us - begin_us ELSE 0 END)::BIGINT / 60000000
            AS unseen_over_min,
        -- Whole millionths of ppm: a sum of whole numbers does not depend on its order.
        sum(CASE WHEN over THEN round((dose_ppm - $limit_ppm) * 1000000)::HUGEINT
            * (until_us - begin_us) ELSE 0 END) / 60000000 / 1000000 AS area_ppm_min,
        max(dose_ppm) AS max_ppm,
        sum(CASE WHEN dose_ppm IS NULL THEN until_us - begin_us ELSE 0 END)::BIGINT / 60000000
            AS unknown_dose_min,
        min(CASE WHEN over THEN begin_us END) AS first_us
    FROM marked
    GROUP BY patient, start_us
),
-- An order is in force from when it was recorded until it ends or another one takes its place.
in_force AS (
    SELECT
        patient, dose_order_by, dose_order_max_set_ppm AS most_ppm,
        epoch_us(time) AS begin_us,
        least(epoch_us(dose_order_until), lead(epoch_us(time)) OVER (
            PARTITION BY patient ORDER BY time, id
        )) AS until_us
    FROM course
    WHERE dose_order_max_set_ppm IS NOT NULL
),
ordered AS (
    SELECT
        marked.patient, start_us,
        sum(least(marked.until_us, in_force.until_us) - greatest(marked.begin_us, in_force.begin_us))
            ::BIGINT / 60000000 AS ordered_min,
        string_agg(DISTINCT dose_order_by, ', ' ORDER BY dose_order_by) AS ordered_by
    FROM marked JOIN in_force ON in_force.patient = marked.patient
        AND over AND dose_ppm <= most_ppm
        AND in_force.begin_us < marked.until_us AND in_force.until_us > marked.begin_us
    GROUP BY marked.patient, start_us
),
acknowledged AS (
    SELECT alert.patient, epoch_us(alert.course) AS start_us,
        string_agg(DISTINCT action.by, ', ' ORDER BY action.by) AS acknowledged_by
    FROM alert JOIN action ON action.alert = alert.id AND action.action = 'acknowledge'
    WHERE alert.rule = 'set-dose-high' AND phase = 'raised'
    GROUP BY alert.patient, epoch_us(alert.course)
)
SELECT
    patient,
    CASE
        WHEN over_min > 0 THEN 'yes'
        WHEN max_ppm IS NULL OR unknown_dose_min > 0 THEN 'indeterminate'
        WHEN coverage_pct >= $least_coverage_pct THEN 'no'
        ELSE 'indeterminate'
    END AS result,
    CASE
        WHEN over_min > 0 AND ordered_min >= over_min THEN 'all of it as ordered'
        WHEN over_min > 0 AND ordered_min > 0 THEN 'a part of it beyond any order'
        WHEN over_min > 0 THEN 'without an order for that dose'
        WHEN max_ppm IS NULL THEN 'no dose was told'
        WHEN unknown_dose_min > 0 THEN 'for a time the dose is not known (backup, or not said)'
        WHEN coverage_pct >= $least_coverage_pct THEN 'never above the limit'
        ELSE 'too much of the course was not seen'
    END AS reason,
    round(over_min, 2) AS over_min,
    round(over_min - coalesce(ordered_min, 0), 2) AS beyond_order_min,
    round(unseen_over_min, 2) AS unseen_over_min,
    round(area_ppm_min, 2) AS area_ppm_min,
    max_ppm,
    coalesce(episodes, 0)::BIGINT AS episodes,
    make_timestamptz(first_us) AS first_at,
    ordered_by, acknowledged_by,
    round(unknown_dose_min, 2) AS unknown_dose_min,
    unit, start, stop, coverage_pct
FROM course_
LEFT JOIN summed USING (patient, start_us)
LEFT JOIN ordered USING (patient, start_us)
LEFT JOIN acknowledged USING (patient, start_us)
ORDER BY start, patient;
