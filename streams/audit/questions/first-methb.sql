-- title: First methemoglobin check
-- asks: Was methemoglobin collected 4 to 8 hours after the start of the course?
-- tables: therapy, methb
-- parameter: due_h = 4.0 | earlier is too early to count (label: 4 to 8 h after the start)
-- parameter: overdue_h = 8.0 | later is late (label: 4 to 8 h after the start)
-- column: collected_h = Collected after
-- column: resulted_h = Resulted after
-- says: {in_time} of {rows course|courses} checked {due_h} to {overdue_h} h after the start[;
--   {late} late][; {early} too early only][; {never} never]; {indeterminate} indeterminate.
-- n: courses
WITH course AS (
    SELECT
        *,
        start_us + ($due_h * 3600000000)::BIGINT AS due_us,
        start_us + ($overdue_h * 3600000000)::BIGINT AS overdue_us
    FROM therapy
    WHERE start < $stop AND ($unit IS NULL OR list_contains(units, $unit))
),
collected AS (
    SELECT
        course.patient, start_us,
        min(at_us) AS any_us,
        min(CASE WHEN at_us >= due_us THEN at_us END) AS first_us,
        arg_min(resulted_us, (at_us, id)) FILTER (WHERE at_us >= due_us) AS resulted_us,
        arg_min(first_resulted_us, (at_us, id)) FILTER (WHERE at_us >= due_us) AS first_resulted_us,
        arg_min(value_pct, (at_us, id)) FILTER (WHERE at_us >= due_us) AS value_pct
    FROM course JOIN methb ON methb.patient = course.patient
        AND at_us >= start_us AND coalesce(at_us <= open_until_us, true)
    GROUP BY course.patient, start_us
),
laboratory AS (SELECT count(*) > 0 AS speaks FROM methb),
judged AS (
    SELECT
        course.*, any_us, first_us, resulted_us, first_resulted_us, value_pct, speaks,
        CASE
            WHEN first_us <= overdue_us THEN 'in time'
            WHEN first_us IS NOT NULL THEN 'late'
            WHEN NOT speaks THEN 'indeterminate'
            WHEN least(open_until_us, newest_us) < overdue_us THEN 'indeterminate'
            WHEN any_us IS NOT NULL THEN 'early'
            ELSE 'never'
        END AS result
    FROM course LEFT JOIN collected USING (patient, start_us) CROSS JOIN laboratory
    -- In every period from the start to the limit, or to the result that changed the verdict.
    WHERE greatest(least(open_until_us, overdue_us), coalesce(resulted_us, first_us))
        >= epoch_us($start::TIMESTAMPTZ)
)
SELECT
    patient, result,
    CASE
        WHEN result = 'in time' AND first_resulted_us > overdue_us
            THEN 'collected in time, resulted after the limit'
        WHEN result = 'in time' THEN 'collected in time'
        WHEN result = 'late' THEN 'collected after the limit'
        WHEN NOT speaks THEN 'no methemoglobin of anybody is on record: is there a laboratory feed?'
        WHEN result = 'indeterminate' AND coalesce(open_until_us >= overdue_us, true)
            THEN 'the limit has not come yet'
        WHEN result = 'indeterminate' THEN 'the course ended before the limit'
        WHEN result = 'early' THEN 'collected too early only'
        ELSE 'none collected'
    END AS reason,
    round((coalesce(first_us, any_us) - start_us) / 3600000000, 4) AS collected_h,
    round((resulted_us - start_us) / 3600000000, 4) AS resulted_h,
    value_pct,
    unit, start, stop, coverage_pct
FROM judged
ORDER BY start, patient;
