-- title: Hours by day of the course
-- asks: How many hours were delivered on each day of a course, and from which day on is a review due?
-- tables: ran, given, seen
-- parameter: review_day = 14.0 | days after it need a medical review (S2)
-- column: day = Day of the course
-- says: {rows day|days} of courses with {delivered_h} h delivered; {review_needed} past day
--   {review_day}, where a review is due; {indeterminate} indeterminate.
-- n: days
WITH course_ AS (
    SELECT * RENAME (from_us AS part_from_us, to_us AS part_to_us) FROM ran($start, $stop, $unit)
),
-- A day is 24 hours from the start of the course; of one that goes beyond the period or the course
-- only the part within.
numbered AS (
    SELECT *, unnest(generate_series(
        1, greatest(1, ceil((end_us - start_us) / 86400000000)::BIGINT)
    )) AS day
    FROM course_
),
span AS (
    SELECT
        *,
        greatest(part_from_us, start_us + (day - 1) * 86400000000) AS from_us,
        least(part_to_us, start_us + day * 86400000000) AS to_us
    FROM numbered
    WHERE start_us + day * 86400000000 > part_from_us
),
delivered AS (
    SELECT
        span.patient, start_us, day,
        sum(least(until_us, to_us) - greatest(begin_us, from_us))::BIGINT AS us,
        max(given.dose_ppm) AS max_ppm
    FROM span JOIN given ON given.patient = span.patient
        AND begin_us < to_us AND until_us > from_us
    GROUP BY span.patient, start_us, day
),
covered AS (
    SELECT
        span.patient, start_us, day,
        sum(least(until_us, to_us) - greatest(begin_us, from_us))::BIGINT AS us
    FROM span JOIN seen ON seen.patient = span.patient
        AND begin_us < to_us AND until_us > from_us
    GROUP BY span.patient, start_us, day
)
SELECT
    patient, day,
    CASE
        WHEN coalesce(covered.us, 0) = 0 THEN 'indeterminate'
        WHEN day > $review_day THEN 'review needed'
        ELSE 'met'
    END AS result,
    CASE
        WHEN coalesce(covered.us, 0) = 0 THEN 'nobody saw this day'
        WHEN day > $review_day THEN 'past the days that a policy allows'
        ELSE 'within the days that a policy allows'
    END AS reason,
    round((to_us - from_us) / 3600000000, 3) AS elapsed_h,
    round(coalesce(delivered.us, 0) / 3600000000, 3) AS delivered_h,
    delivered.max_ppm,
    unit, start,
    make_timestamptz(start_us + (day - 1) * 86400000000) AS day_begins,
    CASE WHEN to_us > from_us THEN round(100.0 * coalesce(covered.us, 0) / (to_us - from_us), 1) END
        AS coverage_pct
FROM span
LEFT JOIN delivered USING (patient, start_us, day)
LEFT JOIN covered USING (patient, start_us, day)
ORDER BY start, patient, day;
