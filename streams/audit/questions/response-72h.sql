-- title: Response within 72 hours, around heart surgery
-- asks: Did oxygenation improve, or was the dose tapered, within 72 hours of the start?
-- tables: ran, context, response_by
-- parameter: after_h = 72.0 | by then a response is asked for (S2: perioperative use)
-- parameter: spo2_points = 5.0 | so many points above the start SpO2 has improved (ward protocol)
-- parameter: fio2_points = 10.0 | so many points below the start FiO2 has improved
-- parameter: hold_min = 10.0 | so long it must be better
-- column: improved_h = Improved after
-- column: tapered_h = Tapered after
-- column: spo2_first_pct = SpO2 at the start
-- column: fio2_first_pct = FiO2 at the start
-- says: {yes} of {rows course|courses} improved or tapered within {after_h} h[; {no} neither];
--   {indeterminate} indeterminate.
-- n: courses
WITH course_ AS (
    SELECT therapy.*, indication
    FROM ran($start, $stop, $unit) AS therapy
    LEFT JOIN context ON context.patient = therapy.patient
    -- In every period that its 72 h reach into; the last of them has the verdict.
    WHERE start_us + ($after_h * 3600000000)::BIGINT >= epoch_us($start::TIMESTAMPTZ)
        AND (indication = 'perioperative-chd' OR indication IS NULL)
),
judged AS (
    SELECT
        *,
        CASE
            WHEN indication IS NULL THEN 'indeterminate'
            WHEN improved_us IS NOT NULL OR tapered_us IS NOT NULL THEN 'yes'
            WHEN spo2_known + fio2_known = 0 THEN 'indeterminate'
            WHEN end_us < start_us + $after_h * 3600000000 THEN 'indeterminate'
            ELSE 'no'
        END AS result
    FROM course_
    LEFT JOIN response_by($after_h, $spo2_points, $fio2_points, $hold_min)
        USING (patient, start_us)
)
SELECT
    patient, result,
    CASE
        WHEN indication IS NULL THEN 'the indication is not recorded'
        WHEN improved_us <= coalesce(tapered_us, improved_us) THEN 'improved'
        WHEN tapered_us IS NOT NULL THEN 'tapered'
        WHEN spo2_known + fio2_known = 0
            THEN 'neither SpO2 nor FiO2 was measured'
        WHEN result = 'indeterminate' AND stop_us IS NULL THEN 'the time is not over yet'
        WHEN result = 'indeterminate' THEN 'the course ended before'
        ELSE 'neither improved nor tapered'
    END AS reason,
    round((improved_us - start_us) / 3600000000, 3) AS improved_h,
    round((tapered_us - start_us) / 3600000000, 3) AS tapered_h,
    spo2_first AS spo2_first_pct, fio2_first AS fio2_first_pct,
    unit, start, stop, coverage_pct
FROM judged
ORDER BY start, patient;
