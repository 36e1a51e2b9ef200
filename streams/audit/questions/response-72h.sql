-- title: Response within 72 hours, around heart surgery
-- asks: Did oxygenation improve, or was the dose tapered, within 72 hours of the start?
-- tables: therapy, context, dose, telemetry
-- parameter: after_h = 72.0 | by then a response is asked for (S2: perioperative use)
-- parameter: spo2_points = 5.0 | so many points above the start SpO2 has improved (ward protocol)
-- parameter: fio2_points = 10.0 | so many points below the start FiO2 has improved
-- parameter: hold_min = 10.0 | so long it must be better
-- n: courses
WITH course_ AS (
    SELECT
        therapy.*, indication,
        least(end_us, start_us + ($after_h * 3600000000)::BIGINT) AS until_us
    FROM therapy LEFT JOIN context ON context.patient = therapy.patient
    WHERE start >= $start AND start < $stop AND ($unit IS NULL OR therapy.unit = $unit)
        AND (indication = 'perioperative-chd' OR indication IS NULL)
),
sample AS (
    SELECT
        course_.patient, start_us, epoch_us(time) AS at_us, device, seq, spo2_pct, fio2_pct,
        count(spo2_pct) OVER along AS spo2_count,
        count(fio2_pct) OVER along AS fio2_count
    FROM telemetry JOIN course_ ON course_.patient = telemetry.patient
        AND epoch_us(time) >= start_us AND epoch_us(time) <= until_us
    WHERE indication IS NOT NULL
        AND coalesce(validity, 'valid') = 'valid' AND coalesce(generation, 'real') = 'real'
        AND (spo2_pct IS NOT NULL OR fio2_pct IS NOT NULL)
    WINDOW along AS (
        PARTITION BY course_.patient, start_us ORDER BY time, device, seq ROWS UNBOUNDED PRECEDING
    )
),
-- What it was at the start is the median of the first three values: one may be an artefact.
first AS (
    SELECT
        patient, start_us,
        median(spo2_pct) FILTER (WHERE spo2_count <= 3) AS spo2_first,
        median(fio2_pct) FILTER (WHERE fio2_count <= 3) AS fio2_first,
        max(spo2_count) AS spo2_known, max(fio2_count) AS fio2_known
    FROM sample GROUP BY patient, start_us
),
changed AS (
    SELECT
        sample.*,
        CASE WHEN spo2_count >= 3 THEN coalesce(spo2_pct - spo2_first, 0) ELSE 0 END AS rise,
        CASE WHEN fio2_count >= 3 THEN coalesce(fio2_first - fio2_pct, 0) ELSE 0 END AS fall
    FROM sample JOIN first USING (patient, start_us)
),
compared AS (
    SELECT
        *,
        CASE WHEN rise >= $spo2_points THEN fall > -$fio2_points
            ELSE fall >= $fio2_points AND rise > -$spo2_points END AS better
    FROM changed
),
streak AS (
    SELECT
        *,
        sum((NOT better)::INTEGER) OVER (
            PARTITION BY patient, start_us ORDER BY at_us, device, seq ROWS UNBOUNDED PRECEDING
        ) AS streak
    FROM compared
),
lasting AS (
    SELECT *, min(at_us) OVER (PARTITION BY patient, start_us, streak) AS since_us
    FROM streak WHERE better
),
improved AS (
    SELECT patient, start_us, min(at_us) AS improved_us
    FROM lasting WHERE at_us - since_us >= $hold_min * 60000000
    GROUP BY patient, start_us
),
-- A dose below the last that had stood; it is no taper if it was put back by the end of the time.
lowered AS (
    SELECT
        dose.patient, dose.start_us, dose.begin_us, dose.dose_ppm,
        last_value(CASE WHEN settled THEN dose_ppm END IGNORE NULLS) OVER (
            PARTITION BY dose.patient, dose.start_us ORDER BY dose.begin_us
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before_ppm,
        max(dose_ppm) OVER (
            PARTITION BY dose.patient, dose.start_us ORDER BY dose.begin_us
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS later_ppm
    FROM dose JOIN course_ USING (patient, start_us)
    WHERE dose.begin_us <= course_.until_us
),
tapered AS (
    SELECT patient, start_us, min(begin_us) AS tapered_us
    FROM lowered WHERE dose_ppm < before_ppm AND later_ppm < before_ppm
    GROUP BY patient, start_us
),
judged AS (
    SELECT
        *,
        CASE
            WHEN indication IS NULL THEN 'indeterminate'
            WHEN improved_us IS NOT NULL OR tapered_us IS NOT NULL THEN 'yes'
            WHEN coalesce(spo2_known, 0) + coalesce(fio2_known, 0) = 0 THEN 'indeterminate'
            WHEN end_us < start_us + $after_h * 3600000000 THEN 'indeterminate'
            ELSE 'no'
        END AS result
    FROM course_
    LEFT JOIN first USING (patient, start_us)
    LEFT JOIN improved USING (patient, start_us)
    LEFT JOIN tapered USING (patient, start_us)
)
SELECT
    patient, unit, start, stop, result,
    CASE
        WHEN indication IS NULL THEN 'the indication is not recorded'
        WHEN improved_us <= coalesce(tapered_us, improved_us) THEN 'improved'
        WHEN tapered_us IS NOT NULL THEN 'tapered'
        WHEN coalesce(spo2_known, 0) + coalesce(fio2_known, 0) = 0
            THEN 'neither SpO2 nor FiO2 was measured'
        WHEN result = 'indeterminate' AND stop_us IS NULL THEN 'the time is not over yet'
        WHEN result = 'indeterminate' THEN 'the course ended before'
        ELSE 'neither improved nor tapered'
    END AS reason,
    round((improved_us - start_us) / 3600000000, 3) AS improved_h,
    round((tapered_us - start_us) / 3600000000, 3) AS tapered_h,
    spo2_first AS spo2_first_pct, fio2_first AS fio2_first_pct,
    coverage_pct
FROM judged
ORDER BY start, patient;
