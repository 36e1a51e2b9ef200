-- title: Published measures, month by month
-- asks: What share of courses was above 20 ppm, long, or weaned very late; how many hours a patient?
-- tables: therapy, given, seen, dose, telemetry
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
-- column: over_20_pct = Above {limit_ppm} ppm
-- column: over_20_n = Above {limit_ppm} ppm
-- column: over_4_days_pct = Longer than {days} days
-- column: over_4_days_n = Longer than {days} days
-- column: over_120_h_pct = Longer than {long_h} h
-- column: over_120_h_n = Longer than {long_h} h
-- column: very_delayed_wean_pct = Weaned very late
-- column: very_delayed_wean_n = Weaned very late
-- column: hours_per_patient = Delivered per patient, h
-- column: median_days = Median length, days
-- says: Of {courses course|courses}, each counted in every month in which it ran: above {limit_ppm}
--   ppm {over_20_pct by over_20_n}; longer than {days} days {over_4_days_pct by over_4_days_n};
--   longer than {long_h} h {over_120_h_pct by over_120_h_n}; weaned very late
--   {very_delayed_wean_pct by very_delayed_wean_n}. {delivered_h per patients} h a patient and
--   month.
-- n: courses
-- A course counts in every month in which it ran: above 20 ppm by what was given in that month, long
-- in the month in which it became so, or ended before, and weaned late in the one in which weaning
-- began. Hours are those of the month.
WITH bound AS (
    SELECT unnest(generate_series(
        date_trunc('month', $start::TIMESTAMPTZ), $stop::TIMESTAMPTZ, INTERVAL 1 MONTH
    )) AS begins
),
course_ AS (
    SELECT
        therapy.* EXCLUDE (coverage_pct),
        strftime(begins AT TIME ZONE 'UTC', '%Y-%m') AS month,
        greatest(epoch_us(begins), epoch_us($start::TIMESTAMPTZ)) AS since_us,
        least(epoch_us(begins + INTERVAL 1 MONTH), epoch_us($stop::TIMESTAMPTZ)) AS until_us,
        greatest(start_us, since_us) AS from_us,
        least(end_us, until_us) AS to_us
    FROM bound CROSS JOIN therapy
    WHERE since_us < until_us AND start_us < until_us
        AND (start_us >= since_us OR end_us > since_us)
        AND ($unit IS NULL OR list_contains(units, $unit))
),
given_ AS (
    SELECT
        course_.patient, start_us, month,
        sum(least(given.until_us, to_us, counted_us) - greatest(begin_us, from_us))::BIGINT AS us,
        max(dose_ppm) AS most_ppm,
        bool_or(dose_ppm IS NULL) AS dose_unknown
    FROM course_ JOIN given ON given.patient = course_.patient
        AND begin_us < least(to_us, counted_us) AND given.until_us > from_us
    GROUP BY course_.patient, start_us, month
),
seen_ AS (
    SELECT
        course_.patient, start_us, month,
        sum(least(seen.until_us, to_us) - greatest(begin_us, from_us))::BIGINT AS seen_us
    FROM course_ JOIN seen ON seen.patient = course_.patient
        AND begin_us < to_us AND seen.until_us > from_us
    GROUP BY course_.patient, start_us, month
),
-- Weaning begins with the first dose below one that had stood.
stood AS (
    SELECT
        dose.patient, start_us, dose.begin_us, dose_ppm,
        lag(dose_ppm) OVER (PARTITION BY dose.patient, start_us ORDER BY dose.begin_us) AS before_ppm
    FROM dose WHERE settled
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
part AS (
    SELECT
        *,
        coalesce(us, 0) AS given_us,
        100.0 * coalesce(seen_us, 0) / nullif(to_us - from_us, 0) AS seen_pct,
        start_us + ($days * 86400000000)::BIGINT AS days_us,
        start_us + ($long_h * 3600000000)::BIGINT AS long_us,
        start_us + round(seen_h * 3600000000)::BIGINT AS seen_to_us,
        stop_us < until_us AND stop_us >= since_us AS ended
    FROM course_
    LEFT JOIN given_ USING (patient, start_us, month)
    LEFT JOIN seen_ USING (patient, start_us, month)
    LEFT JOIN wean USING (patient, start_us)
    LEFT JOIN oxygen USING (patient, start_us)
),
measured AS (
    SELECT
        *,
        CASE WHEN most_ppm > $limit_ppm THEN 1
            WHEN most_ppm IS NOT NULL AND NOT dose_unknown AND seen_pct >= $least_coverage_pct
                THEN 0 END AS over_20,
        CASE WHEN seen_to_us > days_us AND days_us >= since_us AND days_us < until_us THEN 1
            WHEN ended AND stop_us <= days_us THEN 0 END AS over_4_days,
        CASE WHEN seen_to_us > long_us AND long_us >= since_us AND long_us < until_us THEN 1
            WHEN ended AND stop_us <= long_us THEN 0 END AS over_120_h,
        CASE WHEN at_us < since_us OR at_us >= until_us THEN NULL
            WHEN fio2_pct <= $fio2_pct THEN 1 WHEN fio2_pct IS NOT NULL THEN 0 END AS very_delayed
    FROM part
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
    round(sum(given_us)::BIGINT / 3600000000, 2) AS delivered_h,
    round(sum(given_us)::BIGINT / 3600000000 / count(DISTINCT patient), 2) AS hours_per_patient,
    round(median(elapsed_h) FILTER (WHERE ended) / 24, 3) AS median_days,
    count(*) FILTER (WHERE coalesce(stop_us >= until_us, true)) AS still_running,
    round(100.0 * sum(coalesce(seen_us, 0))::BIGINT / nullif(sum(to_us - from_us)::BIGINT, 0), 1)
        AS coverage_pct
FROM measured
GROUP BY month
ORDER BY month;
