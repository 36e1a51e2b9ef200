-- title: Missing context
-- asks: Is the indication or the echo of a course missing, and what else is not recorded?
-- tables: ran, context, course
-- column: echo_of_pulmonary_hypertension = Echo of pulmonary hypertension
-- column: lacking = Not recorded
-- says: {yes} of {rows course|courses} with the indication or the echo missing[; {no} with both on
--   record]; {indeterminate} indeterminate.
-- n: courses
WITH known AS (
    SELECT
        therapy.*, context.* EXCLUDE (patient),
        (SELECT count(*) > 0 FROM course) AS speaks
    FROM ran($start, $stop, $unit) AS therapy
    LEFT JOIN context ON context.patient = therapy.patient
),
said AS (
    SELECT
        *,
        concat_ws(', ',
            CASE WHEN indication IS NULL THEN 'indication' END,
            CASE WHEN echo_confirmed_ph IS NULL THEN 'echo' END,
            CASE WHEN gestation_days IS NULL THEN 'gestational age' END,
            CASE WHEN born IS NULL THEN 'birth' END,
            CASE WHEN cdh IS NULL THEN 'diaphragmatic hernia' END,
            CASE WHEN right_to_left_shunt_dependent IS NULL THEN 'shunt' END,
            CASE WHEN conventional_therapy_failed IS NULL THEN 'conventional therapy' END,
            CASE WHEN oxygenation_index IS NULL THEN 'oxygenation index' END,
            CASE WHEN payer IS NULL THEN 'payer' END
        ) AS lacking
    FROM known
)
SELECT
    patient,
    CASE
        WHEN NOT speaks THEN 'indeterminate'
        WHEN indication IS NULL OR echo_confirmed_ph IS NULL THEN 'yes'
        ELSE 'no'
    END AS result,
    CASE
        WHEN NOT speaks THEN 'no context of anybody is on record: is there a feed?'
        WHEN indication IS NULL AND echo_confirmed_ph IS NULL THEN 'indication and echo are missing'
        WHEN indication IS NULL THEN 'the indication is missing'
        WHEN echo_confirmed_ph IS NULL THEN 'the echo is missing'
        ELSE 'indication and echo are recorded'
    END AS reason,
    indication,
    CASE WHEN echo_confirmed_ph THEN 'present' WHEN NOT echo_confirmed_ph THEN 'absent'
        ELSE 'not recorded' END AS echo_of_pulmonary_hypertension,
    nullif(lacking, '') AS lacking,
    unit, start, coverage_pct
FROM said
ORDER BY start, patient;
