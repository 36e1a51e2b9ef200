-- title: Courses past 14 days
-- asks: Did the course go past 14 days, by which clock, and did a person review it?
-- tables: therapy, action
-- parameter: near_h = 288.0 | from here on a course is listed (two days of notice)
-- parameter: over_h = 336.0 | past it a course is over (S0; label; S2: medical review)
-- parameter: review_h = 24.0 | a review is in time up to so long after
-- n: courses
WITH course_ AS (
    SELECT
        *,
        -- The first of the two clocks that goes past: since the start, or delivered in all.
        greatest(elapsed_h, earlier_h + delivered_h) AS counted_h
    FROM therapy
    -- Any course that ran in the period, not only those that began in it.
    WHERE start < $stop AND make_timestamptz(end_us) >= $start
        AND ($unit IS NULL OR unit = $unit)
        AND greatest(elapsed_h, earlier_h + delivered_h) >= $near_h
),
reviewed AS (
    SELECT
        course_.patient, start_us,
        count(*) AS reviews,
        min(epoch_us(action.time)) AS first_us,
        max(epoch_us(action.time)) AS last_us,
        string_agg(DISTINCT action.by, ', ' ORDER BY action.by) AS reviewed_by
    FROM course_ JOIN action ON action.patient = course_.patient
        AND action.action = 'review' AND action.rule = 'course-over-14-days'
        AND epoch_us(action.time) >= start_us
        AND epoch_us(action.time) <= end_us
    GROUP BY course_.patient, start_us
),
judged AS (
    SELECT
        *,
        -- When it went past by the course's own time; by delivered hours it may have been earlier.
        CASE WHEN elapsed_h > $over_h THEN start_us + ($over_h * 3600000000)::BIGINT END AS past_us,
        CASE
            WHEN greatest(seen_h, earlier_h + delivered_h) > $over_h THEN 'yes'
            WHEN stop_us IS NOT NULL AND counted_h <= $over_h THEN 'no'
            ELSE 'indeterminate'
        END AS result
    FROM course_ LEFT JOIN reviewed USING (patient, start_us)
)
SELECT
    patient, unit, start, stop, result,
    CASE
        WHEN result = 'indeterminate' AND elapsed_h > $over_h THEN 'nobody saw it past the limit'
        WHEN elapsed_h > $over_h AND earlier_h + delivered_h > $over_h
            THEN 'by elapsed and by delivered time'
        WHEN elapsed_h > $over_h THEN 'by elapsed time'
        WHEN result = 'yes' THEN 'by delivered hours over all courses'
        WHEN result = 'indeterminate' THEN 'it still runs'
        ELSE 'ended before'
    END AS reason,
    round(elapsed_h, 3) AS elapsed_h,
    round(delivered_h, 3) AS delivered_h,
    round(earlier_h, 3) AS earlier_delivered_h,
    CASE
        WHEN result = 'indeterminate' THEN 'indeterminate'
        WHEN result = 'no' THEN 'not needed'
        WHEN first_us <= past_us + ($review_h * 3600000000)::BIGINT THEN 'yes'
        WHEN first_us IS NOT NULL AND past_us IS NULL THEN 'yes'
        WHEN first_us IS NOT NULL THEN 'late'
        WHEN stop_us IS NULL AND end_us <= past_us + ($review_h * 3600000000)::BIGINT
            THEN 'indeterminate'
        ELSE 'no'
    END AS reviewed,
    coalesce(reviews, 0) AS reviews,
    make_timestamptz(first_us) AS first_review,
    make_timestamptz(last_us) AS last_review,
    reviewed_by, ended_by,
    coverage_pct
FROM judged
ORDER BY start, patient;
