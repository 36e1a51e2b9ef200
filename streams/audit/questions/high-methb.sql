-- title: High methemoglobin values
-- asks: Did a value reach the limit, and what dose was set when the blood was collected?
-- tables: ran, methb, dose
-- parameter: limit_pct = 2.5 | at or above a value is listed (published ward protocol)
-- parameter: medium_pct = 5.0 | at or above: medium (published monitoring guide)
-- parameter: high_pct = 7.0 | at or above: high
-- column: set_ppm = Dose when collected
-- column: into_course_h = Collected after
-- column: next_check_after_h = Next check after
-- says: {yes value|values} of {limit_pct} % or more; {indeterminate} indeterminate: a course
--   without any value, or a result without a number.
-- n: values or courses without any
WITH course_ AS (
    SELECT * FROM ran($start, $stop, $unit)
),
result_ AS (
    SELECT
        course_.patient, start_us, at_us, resulted_us, id, value_pct,
        lead(at_us) OVER (PARTITION BY course_.patient, start_us ORDER BY at_us, id) AS next_us
    FROM course_ JOIN methb ON methb.patient = course_.patient
        AND at_us >= start_us AND at_us <= end_us
),
listed AS (
    SELECT course_.*, at_us, resulted_us, id, value_pct, next_us
    FROM course_ LEFT JOIN result_ USING (patient, start_us)
    -- A value belongs to the period in which it was known.
    WHERE at_us IS NULL OR (
        coalesce(resulted_us, at_us) >= epoch_us($start::TIMESTAMPTZ)
        AND coalesce(value_pct >= $limit_pct, true)
    )
)
SELECT
    listed.patient,
    CASE WHEN value_pct >= $limit_pct THEN 'yes' ELSE 'indeterminate' END AS result,
    CASE
        WHEN value_pct >= $high_pct THEN 'high'
        WHEN value_pct >= $medium_pct THEN 'medium'
        WHEN value_pct >= $limit_pct THEN 'low'
        WHEN at_us IS NULL THEN 'no methemoglobin of this course is on record'
        ELSE 'the result has no value'
    END AS reason,
    value_pct,
    dose.dose_ppm AS set_ppm,
    make_timestamptz(at_us) AS collected_at,
    make_timestamptz(resulted_us) AS resulted_at,
    round((at_us - listed.start_us) / 3600000000, 2) AS into_course_h,
    round((next_us - at_us) / 3600000000, 2) AS next_check_after_h,
    unit, start, stop, coverage_pct
FROM listed
LEFT JOIN dose ON dose.patient = listed.patient AND dose.start_us = listed.start_us
    AND dose.begin_us <= at_us AND at_us < dose.until_us
ORDER BY start, listed.patient, at_us, id;
