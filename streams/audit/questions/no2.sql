-- title: Nitrogen dioxide in the gas
-- asks: Was NO2 above one of its limits for as long as its hold time, and for how long in all?
-- tables: ran, telemetry
-- parameter: low_ppm = 0.5 | at or above: low (device manual)
-- parameter: low_min = 10.0 | held so long
-- parameter: medium_ppm = 1.0 | at or above: medium (FDA guidance on devices)
-- parameter: medium_min = 5.0 | held so long
-- parameter: high_ppm = 2.0 | at or above: high (published protocol)
-- parameter: high_min = 1.0 | held so long
-- parameter: gap_s = 120.0 | a reading stands for so long at most
-- parameter: least_coverage_pct = 90.0 | with fewer readings a "no" cannot be said
-- plot: bars x=patient y=low_min
-- column: max_ppm = Highest NO2
-- column: low_min = From {low_ppm} ppm on
-- column: medium_min = From {medium_ppm} ppm on
-- column: high_min = From {high_ppm} ppm on
-- column: longest_min = Longest episode
-- column: measured_pct = NO2 measured
-- says: {yes} of {rows course|courses} with NO2 above a limit for its hold time[; {no} without];
--   {indeterminate} indeterminate.
-- n: courses
WITH course_ AS (
    SELECT patient, unit, start, stop, start_us, from_us, to_us, coverage_pct
    FROM ran($start, $stop, $unit)
),
reading AS (
    SELECT
        course_.patient, start_us, device, seq, epoch_us(time) AS at_us, no2_ppm
    FROM telemetry JOIN course_ ON course_.patient = telemetry.patient
        AND epoch_us(time) >= from_us AND epoch_us(time) < to_us
    WHERE mode = 'delivering' AND coalesce(generation, 'real') = 'real'
),
measured AS (
    SELECT
        patient, start_us,
        100.0 * count(no2_ppm) / count(*) AS measured_pct,
        max(no2_ppm) AS max_ppm
    FROM reading GROUP BY patient, start_us
),
-- Only courses that reached a limit at all are looked at sample by sample.
standing AS (
    SELECT
        reading.*,
        coalesce(least(
            lead(at_us) OVER along, at_us + ($gap_s * 1000000)::BIGINT
        ), at_us) AS until_us
    FROM reading JOIN measured USING (patient, start_us)
    WHERE max_ppm >= $low_ppm AND no2_ppm IS NOT NULL
    WINDOW along AS (PARTITION BY reading.patient, start_us, device ORDER BY at_us, seq)
),
tier AS (
    SELECT unnest([1, 2, 3]) AS tier,
        unnest([$low_ppm, $medium_ppm, $high_ppm]::DOUBLE[]) AS limit_ppm,
        unnest([$low_min, $medium_min, $high_min]::DOUBLE[]) AS hold_min
),
over AS (
    SELECT
        standing.*, tier, hold_min,
        coalesce(
            lag(until_us) OVER along < at_us OR lag(no2_ppm) OVER along < limit_ppm, true
        ) AS begins,
        no2_ppm >= limit_ppm AS is_over
    FROM standing CROSS JOIN tier
    WINDOW along AS (PARTITION BY patient, start_us, device, tier ORDER BY at_us, seq)
),
numbered AS (
    SELECT
        *,
        sum(begins::INTEGER) OVER (
            PARTITION BY patient, start_us, device, tier ORDER BY at_us, seq
        ) AS episode
    FROM over WHERE is_over
),
episode AS (
    SELECT patient, start_us, tier, hold_min, sum(until_us - at_us)::BIGINT / 60000000 AS minutes
    FROM numbered GROUP BY patient, start_us, device, tier, hold_min, episode
),
summed AS (
    SELECT
        patient, start_us,
        max(CASE WHEN minutes >= hold_min THEN tier END) AS held,
        count(*) FILTER (WHERE minutes >= hold_min AND tier = 1) AS episodes,
        round(sum(minutes) FILTER (WHERE tier = 1), 2) AS low_min,
        round(sum(minutes) FILTER (WHERE tier = 2), 2) AS medium_min,
        round(sum(minutes) FILTER (WHERE tier = 3), 2) AS high_min,
        round(max(minutes) FILTER (WHERE tier = 1), 2) AS longest_min
    FROM episode GROUP BY patient, start_us
),
judged AS (
    SELECT
        *,
        CASE
            WHEN held IS NOT NULL THEN 'yes'
            WHEN max_ppm IS NULL THEN 'indeterminate'
            WHEN measured_pct >= $least_coverage_pct AND coverage_pct >= $least_coverage_pct
                THEN 'no'
            ELSE 'indeterminate'
        END AS result
    FROM course_
    LEFT JOIN measured USING (patient, start_us)
    LEFT JOIN summed USING (patient, start_us)
)
SELECT
    patient, result,
    CASE
        WHEN held = 3 THEN 'high limit'
        WHEN held = 2 THEN 'medium limit'
        WHEN held = 1 THEN 'low limit'
        WHEN max_ppm IS NULL THEN 'NO2 was never measured'
        WHEN result = 'indeterminate' THEN 'too much of the course was not measured'
        WHEN max_ppm >= $low_ppm THEN 'above a limit, but shorter than its hold time'
        ELSE 'always below'
    END AS reason,
    max_ppm,
    coalesce(episodes, 0) AS episodes,
    coalesce(low_min, 0) AS low_min,
    coalesce(medium_min, 0) AS medium_min,
    coalesce(high_min, 0) AS high_min,
    coalesce(longest_min, 0) AS longest_min,
    round(measured_pct, 1) AS measured_pct,
    unit, start, stop, coverage_pct
FROM judged
ORDER BY start, patient;
