-- title: Delayed weaning
-- asks: Did the dose stay as it was for long while little oxygen was needed?
-- tables: ran, dose, telemetry
-- parameter: fio2_pct = 40.0 | a need of oxygen at or below it is small (Hughes Driscoll 2018)
-- parameter: unchanged_h = 12.0 | an unchanged dose for longer is a delay (own: tune it)
-- parameter: floor_ppm = 1.0 | at this dose or less only the stop is left
-- parameter: least_coverage_pct = 90.0 | with fewer hours of readings a "no" cannot be said
-- column: longest_h = Longest unchanged
-- column: at_ppm = At a dose
-- column: since = Unchanged since
-- column: delayed_h = Delayed in all
-- column: small_need_h = Little oxygen needed
-- column: measured_pct = FiO2 measured
-- says: {yes} of {rows course|courses} kept the dose for more than {unchanged_h} h while little
--   oxygen was needed[; {no} did not]; {indeterminate} indeterminate.
-- n: courses
WITH course_ AS (
    SELECT * FROM ran($start, $stop, $unit)
),
-- Whole hours of the clock: one counts when every reading of it was small.
hour_ AS (
    SELECT
        patient, epoch_us(time) // 3600000000 AS hour, max(fio2_pct) <= $fio2_pct AS small
    FROM telemetry
    WHERE fio2_pct IS NOT NULL AND coalesce(generation, 'real') = 'real'
        AND coalesce(validity, 'valid') = 'valid'
    GROUP BY patient, epoch_us(time) // 3600000000
),
measured AS (
    SELECT
        course_.patient, start_us,
        count(*) AS hours, count(*) FILTER (WHERE small) AS small_hours
    FROM course_ JOIN hour_ ON hour_.patient = course_.patient
        AND hour >= from_us // 3600000000 AND hour * 3600000000 < to_us
    GROUP BY course_.patient, start_us
),
within AS (
    SELECT
        course_.patient, course_.start_us, dose.begin_us, dose.dose_ppm, hour, small,
        hour - row_number() OVER (
            PARTITION BY course_.patient, course_.start_us, dose.begin_us ORDER BY hour
        ) AS island
    FROM course_ JOIN dose USING (patient, start_us)
    JOIN hour_ ON hour_.patient = course_.patient
        AND hour * 3600000000 >= dose.begin_us AND (hour + 1) * 3600000000 <= dose.until_us
    WHERE small AND dose.dose_ppm > $floor_ppm
),
lasting AS (
    SELECT patient, start_us, begin_us, dose_ppm, min(hour) AS first_hour, count(*) AS hours
    FROM within GROUP BY patient, start_us, begin_us, dose_ppm, island
    -- What reaches into the period counts in its whole length.
    HAVING (max(hour) + 1) * 3600000000 > epoch_us($start::TIMESTAMPTZ)
),
longest AS (
    SELECT
        patient, start_us,
        max(hours) AS longest_h,
        arg_max(dose_ppm, (hours, -first_hour)) AS at_ppm,
        arg_max(first_hour, (hours, -first_hour)) AS since_hour,
        sum(hours) FILTER (WHERE hours > $unchanged_h) AS delayed_h
    FROM lasting GROUP BY patient, start_us
),
judged AS (
    SELECT
        *,
        100.0 * measured.hours / greatest(1, ceil((to_us - from_us) / 3600000000)) AS measured_pct,
        CASE
            WHEN longest_h > $unchanged_h THEN 'yes'
            WHEN measured.hours IS NULL THEN 'indeterminate'
            WHEN 100.0 * measured.hours / greatest(1, ceil((to_us - from_us) / 3600000000)) < $least_coverage_pct
                THEN 'indeterminate'
            ELSE 'no'
        END AS result
    FROM course_
    LEFT JOIN measured USING (patient, start_us)
    LEFT JOIN longest USING (patient, start_us)
)
SELECT
    patient, result,
    CASE
        WHEN result = 'yes' THEN 'the dose stayed while little oxygen was needed'
        WHEN hours IS NULL THEN 'FiO2 was never measured'
        WHEN result = 'indeterminate' THEN 'FiO2 was measured in too few hours'
        ELSE 'lowered in time, or the need was never small for long'
    END AS reason,
    coalesce(longest_h, 0) AS longest_h,
    at_ppm,
    make_timestamptz(since_hour * 3600000000) AS since,
    coalesce(delayed_h, 0)::BIGINT AS delayed_h,
    coalesce(small_hours, 0) AS small_need_h,
    round(least(measured_pct, 100), 1) AS measured_pct,
    unit, start, stop, coverage_pct
FROM judged
ORDER BY start, patient;
