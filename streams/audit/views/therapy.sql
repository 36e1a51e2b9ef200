-- Courses of therapy, one row each: the same that the monitor counts (a test compares).
--   stop          NULL while it delivers as far as is known; end_us is then the newest sample of all
--   ended_by      the reason with which a person closed it, or `lapsed` (2 h without delivery),
--                 `paused` (shorter, so far) or `running`
--   seen_h        from the start to the last sample in it: behind that, silence
--   delivered_h   as the monitor counts; earlier_h: of the patient's courses before
--   coverage_pct  the share of the course's time in which samples were no further apart than 120 s
--   max_ppm, mean_ppm  of the dose that was set, where it is known
--   unit, bed     where it began; units: all in which it was given
--   counted_us    up to here delivery counts; open_until_us: a person's close or 2 h after delivery
--                 ended, whichever came first, NULL while it runs; newest_us: the newest sample of all
-- tables: run, given, seen, stretch, limits
CREATE TABLE therapy AS
WITH newest AS (SELECT max(last_us) AS us FROM stretch),
course AS (
    SELECT
        patient, start_us,
        count(*) - 1 AS interruptions,
        arg_max((end_us, counted_us), number) AS last,
        max(closed_us) AS closed_us,
        max(closed_as) AS closed_as
    FROM run GROUP BY patient, start_us
),
span AS (
    SELECT
        patient, start_us, interruptions, last[1] AS stop_us,
        coalesce(last[1], newest.us) AS end_us,
        coalesce(last[2], last[1], newest.us) AS counted_us,
        CASE
            WHEN closed_us IS NOT NULL THEN closed_as
            WHEN last[1] IS NULL THEN 'running'
            WHEN newest.us > last[1] + interruption_us THEN 'lapsed'
            ELSE 'paused'
        END AS ended_by,
        least(closed_us, last[1] + interruption_us) AS open_until_us,
        newest.us AS newest_us
    FROM course CROSS JOIN newest CROSS JOIN limits
),
delivered AS (
    SELECT
        span.patient, start_us,
        sum(least(until_us, counted_us) - greatest(begin_us, start_us)) AS us,
        sum(CASE WHEN blind THEN least(until_us, counted_us) - greatest(begin_us, start_us) ELSE 0 END)
            AS blind_us,
        max(dose_ppm) AS max_ppm,
        -- Whole millionths of ppm: a sum of whole numbers does not depend on its order.
        sum((round(dose_ppm * 1000000))::HUGEINT
            * (least(until_us, counted_us) - greatest(begin_us, start_us)))
            / nullif(sum(CASE WHEN dose_ppm IS NOT NULL
                THEN least(until_us, counted_us) - greatest(begin_us, start_us) END), 0) / 1000000
            AS mean_ppm
    FROM span JOIN given ON given.patient = span.patient
        AND given.begin_us < counted_us AND given.until_us > start_us
    GROUP BY span.patient, start_us
),
covered AS (
    SELECT
        span.patient, start_us,
        sum(least(until_us, end_us) - greatest(begin_us, start_us)) AS us,
        max(least(until_us, end_us)) AS to_us
    FROM span JOIN seen ON seen.patient = span.patient
        AND seen.begin_us < end_us AND seen.until_us > start_us
    GROUP BY span.patient, start_us
),
everywhere AS (
    SELECT span.patient, start_us, list_sort(list(DISTINCT stretch.unit)) AS units
    FROM span JOIN stretch ON stretch.patient = span.patient
        AND stretch.gives AND stretch.begin_us <= end_us AND stretch.last_us >= start_us
    GROUP BY span.patient, start_us
),
place AS (
    SELECT
        span.patient, span.start_us,
        arg_min(unit, (begin_us, device, number)) AS unit,
        arg_min(bed, (begin_us, device, number)) AS bed
    FROM span JOIN stretch ON stretch.patient = span.patient
        AND stretch.starts AND stretch.begin_us <= end_us AND stretch.last_us >= start_us
    GROUP BY span.patient, span.start_us
)
SELECT
    patient, unit, bed, units,
    make_timestamptz(start_us) AS start,
    make_timestamptz(stop_us) AS stop,
    ended_by, interruptions,
    (end_us - start_us) / hour_us AS elapsed_h,
    (coalesce(covered.to_us, start_us) - start_us) / hour_us AS seen_h,
    coalesce(delivered.us, 0)::BIGINT / hour_us AS delivered_h,
    coalesce(sum(coalesce(delivered.us, 0)::BIGINT) OVER earlier, 0)::BIGINT / hour_us AS earlier_h,
    coalesce(blind_us, 0)::BIGINT / hour_us AS blind_h,
    CASE WHEN end_us > start_us
        THEN round(100.0 * coalesce(covered.us, 0)::BIGINT / (end_us - start_us), 1) END
        AS coverage_pct,
    max_ppm, round(mean_ppm, 3) AS mean_ppm,
    start_us, stop_us, end_us, counted_us, open_until_us, newest_us
FROM span
LEFT JOIN delivered USING (patient, start_us)
LEFT JOIN covered USING (patient, start_us)
LEFT JOIN place USING (patient, start_us)
LEFT JOIN everywhere USING (patient, start_us)
CROSS JOIN limits
WINDOW earlier AS (
    PARTITION BY patient ORDER BY start_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
);
