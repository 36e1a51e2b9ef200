-- title: Blind time
-- asks: Was each course seen, and if not: how much of it was blind, and which device was silent?
-- tables: ran, stretch, seen, limits
-- parameter: least_coverage_pct = 95.0 | from here on a course counts as seen
-- plot: bars x=device y=silent_min
-- column: patient_gaps = Gaps of the patient
-- column: patient_blind_min = Patient blind
-- column: silences = Silences of the device
-- column: silent_min = Device silent
-- column: longest_min = Longest silence
-- says: {yes} of {rows pair|pairs} of a course and its device seen for {least_coverage_pct} % of
--   the course or more[; {no} for less]; {indeterminate} indeterminate. Devices were silent for
--   {silent_min} min in all.
-- n: courses and their devices
-- Of a course that goes beyond the period only the part within is looked at.
WITH course_ AS (
    SELECT * FROM ran($start, $stop, $unit)
),
-- A silence of the device while it delivers, as far as is known, and within that part.
silence AS (
    SELECT
        course_.patient, start_us, stretch.device,
        least(coalesce(next_us, to_us), to_us) - greatest(last_us, from_us) AS us
    FROM course_ JOIN stretch ON stretch.patient = course_.patient
        AND stretch.begin_us < to_us AND last_us < to_us
        AND coalesce(next_us, to_us) > from_us AND coalesce(next_us, to_us) > until_us
    WHERE active
),
per_device AS (
    SELECT
        patient, start_us, device,
        count(*) AS silences,
        sum(us)::BIGINT / 60000000 AS silent_min,
        max(us) / 60000000 AS longest_min
    FROM silence JOIN (SELECT gap_us FROM limits) ON us > gap_us
    GROUP BY patient, start_us, device
),
part AS (
    SELECT DISTINCT course_.patient, start_us, stretch.device
    FROM course_ JOIN stretch ON stretch.patient = course_.patient
        AND stretch.begin_us < to_us AND coalesce(next_us, to_us) >= from_us AND active
    UNION
    SELECT course_.patient, start_us, stretch.device
    FROM course_ JOIN stretch ON stretch.patient = course_.patient
        AND stretch.begin_us = start_us AND from_us = start_us AND active
),
-- The patient is blind only where no device says anything: between what was seen, before, behind.
-- A silence that the period cuts counts on either side.
sight AS (
    SELECT
        course_.patient, start_us,
        greatest(begin_us, from_us) AS begin_us, least(until_us, to_us) AS until_us
    FROM course_ JOIN seen ON seen.patient = course_.patient
        AND seen.begin_us <= to_us AND seen.until_us >= from_us
    UNION ALL
    SELECT patient, start_us, from_us, from_us FROM course_
    UNION ALL
    SELECT patient, start_us, to_us, to_us FROM course_
),
patient_gap AS (
    SELECT
        patient, start_us,
        count(*) FILTER (WHERE dark_us > gap_us) AS gaps,
        (sum(dark_us) FILTER (WHERE dark_us > 0))::BIGINT / 60000000 AS blind_min
    FROM (
        SELECT
            patient, start_us,
            lead(begin_us) OVER (PARTITION BY patient, start_us ORDER BY begin_us, until_us)
                - until_us AS dark_us
        FROM sight
    ) CROSS JOIN limits
    GROUP BY patient, start_us
)
SELECT
    patient,
    CASE WHEN coverage_pct IS NULL THEN 'indeterminate'
        WHEN coverage_pct >= $least_coverage_pct THEN 'yes' ELSE 'no' END AS result,
    CASE WHEN coverage_pct IS NULL THEN 'one sample only'
        WHEN coverage_pct >= $least_coverage_pct THEN 'seen'
        ELSE 'too much of it was blind' END AS reason,
    coalesce(gaps, 0) AS patient_gaps,
    round(coalesce(blind_min, 0), 1) AS patient_blind_min,
    device,
    coalesce(silences, 0) AS silences,
    round(coalesce(silent_min, 0), 2) AS silent_min,
    round(coalesce(longest_min, 0), 2) AS longest_min,
    unit, start, stop, coverage_pct
FROM course_
LEFT JOIN part USING (patient, start_us)
LEFT JOIN per_device USING (patient, start_us, device)
LEFT JOIN patient_gap USING (patient, start_us)
ORDER BY start, patient, device;
