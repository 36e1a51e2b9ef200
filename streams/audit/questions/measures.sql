-- title: Published measures, month by month
-- asks: What share of courses was above 20 ppm, long, or weaned very late; how many hours a patient?
-- tables: therapy, dose, telemetry
-- parameter: limit_ppm = 20.0 | a set dose above it counts (Hughes Driscoll 2018)
-- parameter: days = 4.0 | longer is long (Hughes Driscoll 2018)
-- parameter: long_h = 120.0 | longer is long (Fischer 2021)
-- parameter: fio2_pct = 40.0 | weaning begun at or below is very delayed (Hughes Driscoll 2018)
-- parameter: fio2_age_min = 10.0 | an older FiO2 says nothing of the moment
-- parameter: least_coverage_pct = 90.0 | with fewer samples "never above" cannot be said
-- plot: spc x=month y=over_20_pct n=over_20_n
-- plot: spc x=month y=over_4_days_pct n=over_4_days_n
-- plot: spc x=month y=over_120_h_pct n=over_120_h_n
-- plot: spc x=month y=very_delayed_wean_pct n=very_delayed_wean_n
-- plot: bars x=month y=hours_per_patient
-- n: courses
WITH course_ AS (
    SELECT *, strftime(start AT TIME ZONE 'UTC', '%Y-%m') AS month
    FROM therapy
    WHERE start >= $start AND start < $stop AND ($unit IS NULL OR unit = $unit)
),
-- Weaning begins with the first dose below one that had stood.
stood AS (
    SELECT
        dose.patient, start_us, dose.begin_us, dose_ppm,
        lag(dose_ppm) OVER (PARTITION BY dose.patient, start_us ORDER BY dose.begin_us) AS before_ppm
    FROM dose JOIN course_ USING (patient, start_us)
    WHERE settled
),
wean AS (
    SELECT patient, start_us, min(begin_us) AS at_us
    FROM stood WHERE dose_ppm < before_ppm GROUP BY patient, start_us
),
oxygen AS (
    SELECT wean.patient, start_us, arg_max(fio2_pct, (time, device)) AS fio2_pct
    FROM telemetry JOIN wean ON wean.patient = telemetry.patient
        AND epoch_us(time) <= at_us
        AND epoch_us(time) > at_us - ($fio2_age_min * 60000000)::BIGINT
    WHERE coalesce(generation, 'real') = 'real' AND coalesce(validity, 'valid') = 'valid'
    GROUP BY wean.patient, start_us
),
-- Each measure is 1, 0, or NULL where it cannot be said: a NULL is in no share.
measured AS (
    SELECT
        course_.*,
        CASE WHEN max_ppm > $limit_ppm THEN 1
            WHEN max_ppm IS NOT NULL AND coverage_pct >= $least_coverage_pct THEN 0 END AS over_20,
        CASE WHEN seen_h > $days * 24 THEN 1 WHEN stop_us IS NOT NULL THEN 0 END AS over_4_days,
        CASE WHEN seen_h > $long_h THEN 1 WHEN stop_us IS NOT NULL THEN 0 END AS over_120_h,
        CASE WHEN fio2_pct <= $fio2_pct THEN 1 WHEN fio2_pct IS NOT NULL THEN 0 END AS very_delayed
    FROM course_
    LEFT JOIN oxygen USING (patient, start_us)
)
SELECT
    month,
    count(*) AS courses,
    count(DISTINCT patient) AS patients,
    round(100.0 * sum(over_20) / nullif(count(over_20), 0), 1) AS over_20_pct,
    count(over_20) AS over_20_n,
    round(100.0 * sum(over_4_days) / nullif(count(over_4_days), 0), 1) AS over_4_days_pct,
    count(over_4_days) AS over_4_days_n,
    round(100.0 * sum(over_120_h) / nullif(count(over_120_h), 0), 1) AS over_120_h_pct,
    count(over_120_h) AS over_120_h_n,
    round(100.0 * sum(very_delayed) / nullif(count(very_delayed), 0), 1) AS very_delayed_wean_pct,
    count(very_delayed) AS very_delayed_wean_n,
    round(sum(round(delivered_h * 1000000)::HUGEINT) / 1000000, 2) AS delivered_h,
    round(sum(round(delivered_h * 1000000)::HUGEINT) / 1000000 / count(DISTINCT patient), 2)
        AS hours_per_patient,
    round(median(elapsed_h) FILTER (WHERE stop_us IS NOT NULL) / 24, 3) AS median_days,
    count(*) FILTER (WHERE stop_us IS NULL) AS still_running,
    round(sum(round(coverage_pct * elapsed_h * 1000)::HUGEINT)
        / nullif(sum(round(elapsed_h * 1000)::HUGEINT), 0), 1) AS coverage_pct
FROM measured
GROUP BY month
ORDER BY month;
