-- title: Intervals between methemoglobin checks
-- asks: Was each check after the first one collected in time?
-- tables: ran, methb, given, dose, course
-- parameter: due_h = 4.0 | the clock starts with the first check from this hour on (label)
-- parameter: interval_h = 24.0 | how far apart checks may be (common practice)
-- parameter: short_interval_h = 12.0 | above 20 ppm, after a raised value, or with a donor drug
-- parameter: grace_pct = 10.0 | a check that much later is no deviation
-- parameter: limit_ppm = 20.0 | a set dose above it asks for the short interval
-- parameter: value_pct = 2.5 | a value from here on asks for the short interval
-- column: too_long = Intervals too long
-- column: longest_h = Longest interval
-- column: its_limit_h = Limit of the longest
-- says: {yes} of {rows course|courses} with every check after the first one in time[; {no} not];
--   {indeterminate} indeterminate.
-- n: courses
WITH course_ AS (
    SELECT * FROM ran($start, $stop, $unit)
),
collected AS (
    SELECT
        course_.patient, start_us, end_us, at_us, methb.value_pct,
        at_us >= start_us + ($due_h * 3600000000)::BIGINT AS counts
    FROM course_ JOIN methb ON methb.patient = course_.patient
        AND at_us >= start_us AND at_us <= end_us
),
-- From the first check on: each stretch from one collection to the next, or to the end. All that
-- reach into the period are judged, in their whole length.
between_two AS (
    SELECT
        *,
        coalesce(lead(at_us) OVER along, end_us) AS next_us,
        bool_or(counts) OVER (along ROWS UNBOUNDED PRECEDING) AS runs
    FROM collected
    WINDOW along AS (PARTITION BY patient, start_us ORDER BY at_us)
),
high AS (
    SELECT DISTINCT one.patient, one.start_us, one.at_us
    FROM between_two AS one JOIN dose ON dose.patient = one.patient
        AND dose.start_us = one.start_us AND dose_ppm > $limit_ppm
        AND dose.begin_us < one.next_us AND dose.until_us > one.at_us
),
donor AS (
    SELECT DISTINCT one.patient, one.start_us, one.at_us
    FROM between_two AS one ASOF JOIN (
        SELECT patient, epoch_us(time) AS said_us, flags_no_donor_drug AS given
        FROM course WHERE flags_no_donor_drug IS NOT NULL
    ) AS said ON said.patient = one.patient AND said.said_us <= one.at_us
    WHERE said.given
),
judged AS (
    SELECT
        one.patient, one.start_us,
        (next_us - at_us) / 3600000000 AS hours,
        CASE WHEN high.at_us IS NOT NULL OR donor.at_us IS NOT NULL
            OR coalesce(value_pct >= $value_pct, false)
            THEN $short_interval_h ELSE $interval_h END * (1 + $grace_pct / 100) AS limit_h
    FROM between_two AS one
    LEFT JOIN high USING (patient, start_us, at_us)
    LEFT JOIN donor USING (patient, start_us, at_us)
    WHERE runs AND next_us >= epoch_us($start::TIMESTAMPTZ)
),
summed AS (
    SELECT
        patient, start_us,
        count(*) AS intervals,
        count(*) FILTER (WHERE round(hours, 9) > round(limit_h, 9)) AS too_long,
        max(hours) AS longest_h,
        arg_max(limit_h, hours) AS longest_limit_h
    FROM judged GROUP BY patient, start_us
)
SELECT
    patient,
    CASE
        WHEN intervals IS NULL THEN 'indeterminate'
        WHEN too_long > 0 THEN 'no'
        ELSE 'yes'
    END AS result,
    CASE
        WHEN intervals IS NULL THEN 'no first check was collected, so no clock ran'
        WHEN too_long > 0 THEN 'longer than the limit between two checks, or after the last one'
        ELSE 'no check was late'
    END AS reason,
    coalesce(intervals, 0) AS intervals,
    coalesce(too_long, 0) AS too_long,
    round(longest_h, 4) AS longest_h,
    round(longest_limit_h, 4) AS its_limit_h,
    unit, start, stop, coverage_pct
FROM course_ LEFT JOIN summed USING (patient, start_us)
ORDER BY start, patient;
