-- title: Courses past 14 days
-- asks: Did the course go past 14 days, by which clock, and did a person review it?
-- tables: therapy, ran, given, action
-- parameter: near_h = 288.0 | from here on a course is listed (two days of notice)
-- parameter: over_h = 336.0 | past it a course is over (S0; label; S2: medical review)
-- parameter: review_h = 24.0 | a review is in time up to so long after
-- column: past_at = Past the limit
-- says: {yes} of {rows course|courses} of {near_h} h or more went past {over_h} h[; {no} ended
--   before]; {indeterminate} indeterminate. {reviews review is|reviews are} on record.
-- n: courses
WITH course_ AS (
    SELECT
        *,
        -- The first of the two clocks that goes past: since the start, or delivered in all.
        greatest(elapsed_h, earlier_h + delivered_h) AS counted_h,
        CASE WHEN elapsed_h > $over_h THEN start_us + ($over_h * 3600000000)::BIGINT END AS elapsed_us
    FROM ran($start, $stop, $unit)
    WHERE greatest(elapsed_h, earlier_h + delivered_h) >= $near_h
),
-- What was delivered over all courses of a patient, part by part.
added AS (
    SELECT
        therapy.patient, start_us,
        greatest(begin_us, start_us) AS begin_us,
        least(until_us, counted_us) - greatest(begin_us, start_us) AS us,
        sum(least(until_us, counted_us) - greatest(begin_us, start_us)) OVER (
            PARTITION BY therapy.patient ORDER BY start_us, begin_us
        )::BIGINT AS sum_us
    FROM therapy JOIN given ON given.patient = therapy.patient
        AND begin_us < counted_us AND until_us > start_us
),
delivered AS (
    SELECT
        patient, start_us,
        -- Where the hours were past the limit before the course began, from its start on.
        min(greatest(begin_us, begin_us + us - sum_us + ($over_h * 3600000000)::BIGINT))
            AS delivered_us
    FROM added
    WHERE sum_us > ($over_h * 3600000000)::BIGINT
    GROUP BY patient, start_us
),
timed AS (
    SELECT *, least(elapsed_us, delivered_us) AS past_us
    FROM course_ LEFT JOIN delivered USING (patient, start_us)
),
-- As for the rule: a review from before the limit says nothing of it, and one may come as long as
-- the course is open.
reviewed AS (
    SELECT
        timed.patient, start_us,
        count(*) AS reviews,
        min(epoch_us(action.time)) AS first_us,
        max(epoch_us(action.time)) AS last_us,
        string_agg(DISTINCT action.by, ', ' ORDER BY action.by) AS reviewed_by
    FROM timed JOIN action ON action.patient = timed.patient
        AND action.action = 'review' AND action.rule = 'course-over-14-days'
        AND epoch_us(action.time) > past_us
        AND coalesce(epoch_us(action.time) <= open_until_us, true)
    GROUP BY timed.patient, start_us
),
judged AS (
    SELECT
        *,
        CASE
            WHEN greatest(seen_h, earlier_h + delivered_h) > $over_h THEN 'yes'
            WHEN stop_us IS NOT NULL AND counted_h <= $over_h THEN 'no'
            ELSE 'indeterminate'
        END AS result
    FROM timed LEFT JOIN reviewed USING (patient, start_us)
)
SELECT
    patient, result,
    CASE
        WHEN result = 'indeterminate' AND elapsed_h > $over_h THEN 'nobody saw it past the limit'
        WHEN elapsed_h > $over_h AND earlier_h + delivered_h > $over_h
            THEN 'by elapsed and by delivered time'
        WHEN elapsed_h > $over_h THEN 'by elapsed time'
        WHEN result = 'yes' THEN 'by delivered hours over all courses'
        WHEN result = 'indeterminate' THEN 'it still runs'
        ELSE 'ended before'
    END AS reason,
    make_timestamptz(past_us) AS past_at,
    round(elapsed_h, 4) AS elapsed_h,
    round(delivered_h, 4) AS delivered_h,
    round(earlier_h, 4) AS earlier_delivered_h,
    CASE
        WHEN result = 'indeterminate' THEN 'indeterminate'
        WHEN result = 'no' THEN 'not needed'
        WHEN first_us <= past_us + ($review_h * 3600000000)::BIGINT THEN 'yes'
        WHEN first_us IS NOT NULL THEN 'late'
        WHEN least(open_until_us, newest_us) <= past_us + ($review_h * 3600000000)::BIGINT
            AND coalesce(open_until_us > newest_us, true) THEN 'indeterminate'
        ELSE 'no'
    END AS reviewed,
    coalesce(reviews, 0) AS reviews,
    make_timestamptz(first_us) AS first_review,
    make_timestamptz(last_us) AS last_review,
    reviewed_by, ended_by,
    unit, start, stop, coverage_pct
FROM judged
ORDER BY start, patient;
