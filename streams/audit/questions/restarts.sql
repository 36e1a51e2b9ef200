-- title: Restarts after a stop
-- asks: Did delivery begin again within a day of its end (a sign of rebound)?
-- tables: run, dose, therapy, stretch
-- parameter: soon_h = 1.0 | restarted within: soon
-- parameter: later_h = 6.0 | restarted within: some hours later
-- parameter: day_h = 24.0 | restarted within: within the day
-- parameter: hold_s = 30.0 | shorter is an interruption, no stop
-- column: after_h = Restarted after
-- column: last_ppm = Dose before the stop
-- says: {yes} of {rows stop|stops} with a restart within {day_h} h[; {no} without]; {indeterminate}
--   indeterminate.
-- n: stops
WITH newest AS (SELECT max(last_us) AS us FROM stretch),
ending AS (
    SELECT
        run.*, therapy.unit, therapy.units, therapy.ended_by, therapy.coverage_pct,
        lead(run.begin_us) OVER (PARTITION BY run.patient ORDER BY run.begin_us) AS resumed_us
    FROM run JOIN therapy USING (patient, start_us)
),
judged AS (
    SELECT
        ending.*, newest.us AS newest_us,
        CASE
            WHEN resumed_us - end_us <= $day_h * 3600000000 THEN 'yes'
            WHEN ended_by IN ('transferred', 'ecmo', 'died') THEN 'indeterminate'
            WHEN newest.us - end_us < $day_h * 3600000000 THEN 'indeterminate'
            ELSE 'no'
        END AS result
    FROM ending CROSS JOIN newest
    WHERE end_us IS NOT NULL
        AND make_timestamptz(end_us) < $stop
        -- In every period from the stop to the restart, or to when the day is over.
        AND least(resumed_us, end_us + ($day_h * 3600000000)::BIGINT) >= epoch_us($start::TIMESTAMPTZ)
        AND ($unit IS NULL OR list_contains(units, $unit))
        AND coalesce(resumed_us - end_us >= $hold_s * 1000000, true)
)
SELECT
    judged.patient, result,
    CASE
        WHEN resumed_us - judged.end_us <= $soon_h * 3600000000 THEN 'soon'
        WHEN resumed_us - judged.end_us <= $later_h * 3600000000 THEN 'some hours later'
        WHEN result = 'yes' THEN 'within the day'
        WHEN result = 'no' THEN 'not within the day'
        WHEN ended_by IN ('transferred', 'ecmo', 'died') THEN 'the course was closed as ' || ended_by
        ELSE 'the record ends less than a day later'
    END AS reason,
    round((resumed_us - judged.end_us) / 3600000000, 3) AS after_h,
    dose.dose_ppm AS last_ppm,
    make_timestamptz(judged.end_us) AS stopped_at,
    make_timestamptz(resumed_us) AS restarted_at,
    unit,
    make_timestamptz(judged.start_us) AS course_start,
    coverage_pct
FROM judged LEFT JOIN dose ON dose.patient = judged.patient AND dose.start_us = judged.start_us
    AND dose.run = judged.number AND dose.final
ORDER BY judged.end_us, judged.patient;
