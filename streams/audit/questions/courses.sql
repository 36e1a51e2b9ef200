-- title: Courses of therapy
-- asks: Who was given inhaled nitric oxide, how long, how much, and how did it end?
-- tables: ran, context
-- column: units = All units
-- column: mean_ppm = Mean dose
-- says: {rows course|courses} with {delivered_h} h delivered[ and {interruptions
--   interruption|interruptions}].
-- n: courses
SELECT
    therapy.patient, therapy.unit, array_to_string(units, ', ') AS units, therapy.bed,
    start, stop, ended_by,
    round(elapsed_h, 2) AS elapsed_h,
    round(delivered_h, 2) AS delivered_h,
    round(earlier_h, 2) AS earlier_delivered_h,
    interruptions, max_ppm, mean_ppm, indication,
    coverage_pct
FROM ran($start, $stop, $unit) AS therapy LEFT JOIN context ON context.patient = therapy.patient
ORDER BY start, therapy.patient;
