-- title: Blind time
-- asks: Was each course seen, and if not: how much of it was blind, and which device was silent?
-- tables: therapy, stretch, seen, limits
-- parameter: least_coverage_pct = 95.0 | from here on a course counts as seen
-- plot: bars x=device y=silent_min
-- n: courses and their devices
WITH course_ AS (
    SELECT * FROM therapy
    WHERE start >= $start AND start < $stop AND ($unit IS NULL OR unit = $unit)
),
-- A silence of the device while it delivers, as far as is known, and within the course.
silence AS (
    SELECT
        course_.patient, start_us, stretch.device,
        greatest(last_us, start_us) AS from_us,
        least(coalesce(next_us, end_us), end_us) AS to_us
    FROM course_ JOIN stretch ON stretch.patient = course_.patient
        AND stretch.begin_us < end_us AND last_us < end_us
        AND coalesce(next_us, end_us) > start_us AND coalesce(next_us, end_us) > until_us
    WHERE active
),
per_device AS (
    SELECT
        patient, start_us, device,
        count(*) AS silences,
        sum(to_us - from_us)::BIGINT / 60000000 AS silent_min,
        max(to_us - from_us) / 60000000 AS longest_min
    FROM silence JOIN (SELECT gap_us FROM limits) ON to_us - from_us > gap_us
    GROUP BY patient, start_us, device
),
part AS (
    SELECT DISTINCT course_.patient, start_us, stretch.device
    FROM course_ JOIN stretch ON stretch.patient = course_.patient
        AND stretch.begin_us < end_us AND stretch.until_us >= start_us AND active
),
-- The patient is blind only where no device says anything.
patient_gap AS (
    SELECT
        course_.patient, start_us, count(*) - 1 AS gaps
    FROM course_ JOIN seen ON seen.patient = course_.patient
        AND seen.begin_us <= end_us AND seen.until_us >= start_us
    GROUP BY course_.patient, start_us
)
SELECT
    patient, unit, start, stop,
    CASE WHEN coverage_pct IS NULL THEN 'indeterminate'
        WHEN coverage_pct >= $least_coverage_pct THEN 'yes' ELSE 'no' END AS result,
    CASE WHEN coverage_pct IS NULL THEN 'one sample only'
        WHEN coverage_pct >= $least_coverage_pct THEN 'seen'
        ELSE 'too much of it was blind' END AS reason,
    coalesce(gaps, 0) AS patient_gaps,
    round((100 - coverage_pct) / 100 * elapsed_h * 60, 1) AS patient_blind_min,
    device,
    coalesce(silences, 0) AS silences,
    round(coalesce(silent_min, 0), 2) AS silent_min,
    round(coalesce(longest_min, 0), 2) AS longest_min,
    coverage_pct
FROM course_
LEFT JOIN part USING (patient, start_us)
LEFT JOIN per_device USING (patient, start_us, device)
LEFT JOIN patient_gap USING (patient, start_us)
ORDER BY start, patient, device;
