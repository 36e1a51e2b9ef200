-- When oxygenation improved, or the dose was tapered, in courses around heart surgery: the same
-- that the rule `no-response-72h` goes by, looked at up to `after_h` of the course.
--   improved_us  SpO2 has risen, or FiO2 fallen, by so many points for `hold_min`, and the other one
--                has not become worse by as much
--   tapered_us   a dose below the last that had stood, not put back since
--   spo2_known, fio2_known  how many values there were
-- tables: therapy, context, dose, telemetry
CREATE MACRO response_by(after_h, spo2_points, fio2_points, hold_min) AS TABLE
WITH course_ AS (
    SELECT
        therapy.patient, start_us,
        least(end_us, start_us + (after_h * 3600000000)::BIGINT) AS until_us
    FROM therapy JOIN context ON context.patient = therapy.patient
    WHERE indication = 'perioperative-chd'
),
sample AS (
    SELECT
        course_.patient, start_us, epoch_us(time) AS at_us, device, seq, spo2_pct, fio2_pct,
        count(spo2_pct) OVER along AS spo2_count,
        count(fio2_pct) OVER along AS fio2_count
    FROM telemetry JOIN course_ ON course_.patient = telemetry.patient
        AND epoch_us(time) >= start_us AND epoch_us(time) <= until_us
    WHERE coalesce(validity, 'valid') = 'valid' AND coalesce(generation, 'real') = 'real'
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
        CASE WHEN rise >= spo2_points THEN fall > -fio2_points
            ELSE fall >= fio2_points AND rise > -spo2_points END AS better
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
    FROM lasting WHERE at_us - since_us >= hold_min * 60000000
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
)
SELECT
    patient, start_us, improved_us, tapered_us, spo2_first, fio2_first,
    coalesce(spo2_known, 0) AS spo2_known, coalesce(fio2_known, 0) AS fio2_known
FROM course_
LEFT JOIN first USING (patient, start_us)
LEFT JOIN improved USING (patient, start_us)
LEFT JOIN tapered USING (patient, start_us);
