-- title: Stops of delivery, graded
-- asks: Was the stop abrupt: not weaned to 1 ppm first, nor planned, nor early in therapy?
-- tables: run, dose, therapy, given, stretch, seen, action
-- parameter: floor_ppm = 1.0 | from this dose or less a stop is weaned (S0: wean to 1 ppm)
-- parameter: high_ppm = 5.0 | an abrupt stop from above it is a high one
-- parameter: after_h = 4.0 | before so much delivery a stop needs no weaning (published protocol)
-- parameter: hold_s = 30.0 | shorter is an interruption, no stop
-- parameter: plan_min = 60.0 | so long a plan to stop is good for
-- column: from_ppm = Stopped from
-- column: lowest_ppm = Lowest dose
-- column: reached_floor = Weaned to {floor_ppm} ppm
-- column: unseen_min = Unseen before
-- column: resumed_after_min = Resumed after
-- says: {yes} of {rows stop|stops} abrupt[; {no} not]; {indeterminate} indeterminate.
-- n: stops
WITH ending AS (
    SELECT run.*, therapy.unit, therapy.units, therapy.stop_us, therapy.ended_by, therapy.coverage_pct
    FROM run JOIN therapy USING (patient, start_us)
    WHERE run.end_us IS NOT NULL
        AND make_timestamptz(run.end_us) >= $start AND make_timestamptz(run.end_us) < $stop
        AND ($unit IS NULL OR list_contains(therapy.units, $unit))
),
next_run AS (
    SELECT patient, start_us, number - 1 AS number, begin_us AS resumed_us FROM run
),
-- The dose before a stop is the last that was held for 60 s; where none was, the last one.
before AS (
    SELECT
        ending.patient, ending.start_us, ending.number,
        coalesce(
            arg_max(dose_ppm, dose.begin_us) FILTER (WHERE held),
            arg_max(dose_ppm, dose.begin_us)
        ) AS from_ppm
    FROM ending JOIN dose ON dose.patient = ending.patient AND dose.start_us = ending.start_us
        AND dose.run <= ending.number
    GROUP BY ending.patient, ending.start_us, ending.number
),
-- Doses that stood for five minutes, over the whole course up to the stop, each until another one.
settled AS (
    SELECT ending.patient, ending.start_us, ending.number, dose.begin_us, dose.dose_ppm
    FROM ending JOIN dose ON dose.patient = ending.patient AND dose.start_us = ending.start_us
        AND dose.run <= ending.number AND dose.settled
    QUALIFY dose.dose_ppm IS DISTINCT FROM lag(dose.dose_ppm) OVER (
        PARTITION BY ending.patient, ending.start_us, ending.number ORDER BY dose.begin_us
    )
),
stood AS (
    SELECT
        *,
        lag(dose_ppm) OVER along - dose_ppm AS down_ppm,
        lead(begin_us) OVER along AS next_us
    FROM settled
    WINDOW along AS (PARTITION BY patient, start_us, number ORDER BY begin_us)
),
-- The last wean: from the last step up on.
last_wean AS (
    SELECT patient, start_us, number, max(begin_us) FILTER (WHERE down_ppm < 0) AS since_us
    FROM stood GROUP BY patient, start_us, number
),
weaning AS (
    SELECT
        stood.patient, stood.start_us, stood.number,
        count(*) FILTER (WHERE down_ppm > 0) AS steps_down,
        max(down_ppm) FILTER (WHERE down_ppm > 0) AS largest_step_ppm,
        min((coalesce(next_us, ending.end_us) - stood.begin_us) / 3600000000)
            FILTER (WHERE down_ppm > 0) AS shortest_step_h,
        min(stood.dose_ppm) AS lowest_ppm
    FROM stood JOIN ending USING (patient, start_us, number)
    JOIN last_wean USING (patient, start_us, number)
    WHERE coalesce(stood.begin_us >= since_us, true)
    GROUP BY stood.patient, stood.start_us, stood.number
),
delivered AS (
    SELECT
        ending.patient, ending.start_us, ending.number,
        sum(least(given.until_us, ending.end_us) - greatest(given.begin_us, ending.start_us))::BIGINT
            AS us,
        -- Backup just before the end: nobody knows from which dose it stopped.
        arg_max(given.dose_ppm IS NULL, given.begin_us) AS dose_unknown
    FROM ending JOIN given ON given.patient = ending.patient
        AND given.begin_us < ending.end_us AND given.until_us > ending.start_us
    GROUP BY ending.patient, ending.start_us, ending.number
),
planned AS (
    SELECT ending.patient, ending.start_us, ending.number
    FROM ending JOIN action AS plan ON plan.patient = ending.patient AND plan.action = 'plan-stop'
        AND epoch_us(plan.time) >= ending.end_us - ($plan_min * 60000000)::BIGINT
        AND epoch_us(plan.time) <= ending.end_us + ($hold_s * 1000000)::BIGINT
        AND epoch_us(plan.time) >= ending.start_us
    WHERE NOT EXISTS (
        SELECT 1 FROM action AS undone
        WHERE undone.patient = plan.patient AND undone.action = 'resume'
            AND undone.time >= plan.time
            AND epoch_us(undone.time) <= ending.end_us + ($hold_s * 1000000)::BIGINT
    )
    GROUP BY ending.patient, ending.start_us, ending.number
),
-- A silence that ends with the word that delivery has ended.
unseen AS (
    SELECT
        ending.patient, ending.start_us, ending.number, ending.end_us - island.until_us AS gap_us
    FROM ending JOIN seen AS after ON after.patient = ending.patient
        AND after.begin_us = ending.end_us
    ASOF JOIN seen AS island ON island.patient = ending.patient
        AND island.until_us < ending.end_us
),
graded AS (
    SELECT
        ending.*, from_ppm, resumed_us, steps_down, largest_step_ppm, shortest_step_h, lowest_ppm,
        us / 3600000000 AS delivered_h, gap_us,
        CASE
            WHEN resumed_us - ending.end_us < $hold_s * 1000000 THEN 'interruption'
            WHEN NOT ended THEN 'closed while delivering'
            WHEN from_ppm <= $floor_ppm AND NOT dose_unknown THEN 'weaned'
            WHEN us < $after_h * 3600000000 THEN 'early'
            WHEN planned.patient IS NOT NULL THEN 'planned'
            WHEN closed_us <= ending.end_us + $hold_s * 1000000 AND ending.end_us = stop_us
                THEN 'closed with a reason'
            WHEN from_ppm IS NULL OR coalesce(dose_unknown, true) THEN 'indeterminate'
            WHEN gap_us IS NOT NULL THEN 'indeterminate'
            WHEN from_ppm > $high_ppm THEN 'abrupt, high'
            ELSE 'abrupt, medium'
        END AS grade
    FROM ending
    LEFT JOIN before USING (patient, start_us, number)
    LEFT JOIN weaning USING (patient, start_us, number)
    LEFT JOIN delivered USING (patient, start_us, number)
    LEFT JOIN planned USING (patient, start_us, number)
    LEFT JOIN unseen USING (patient, start_us, number)
    LEFT JOIN next_run USING (patient, start_us, number)
)
SELECT
    patient,
    CASE
        WHEN grade LIKE 'abrupt%' THEN 'yes'
        WHEN grade = 'indeterminate' THEN 'indeterminate'
        ELSE 'no'
    END AS result,
    CASE grade
        WHEN 'interruption' THEN 'delivery was back at once'
        WHEN 'closed while delivering' THEN 'a person closed the course: ' || closed_as
        WHEN 'early' THEN 'delivered too short for a rebound'
        WHEN 'planned' THEN 'a person had planned the stop'
        WHEN 'weaned' THEN 'weaned down first'
        WHEN 'closed with a reason' THEN 'a person closed the course: ' || closed_as
        WHEN 'indeterminate' THEN CASE
            WHEN gap_us IS NOT NULL THEN 'nobody saw how it stopped: a silence before it'
            ELSE 'the dose before the stop is not known'
        END
        ELSE 'stopped from a dose that should have been weaned first'
    END AS reason,
    grade,
    from_ppm,
    make_timestamptz(end_us) AS stopped_at,
    round(delivered_h, 4) AS delivered_h,
    coalesce(steps_down, 0) AS steps_down,
    round(largest_step_ppm, 3) AS largest_step_ppm,
    round(shortest_step_h, 2) AS shortest_step_h,
    lowest_ppm,
    CASE
        WHEN lowest_ppm IS NULL THEN 'indeterminate'
        WHEN lowest_ppm <= $floor_ppm THEN 'yes'
        ELSE 'no'
    END AS reached_floor,
    round(gap_us / 60000000, 1) AS unseen_min,
    round((resumed_us - end_us) / 60000000, 2) AS resumed_after_min,
    ended_by AS course_ended_by,
    unit,
    make_timestamptz(start_us) AS course_start,
    coverage_pct
FROM graded
ORDER BY end_us, patient;
