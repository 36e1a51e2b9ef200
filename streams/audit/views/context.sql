-- What is known of each patient: the newest word on every field, whatever record it stood in.
-- `gestation_days` reads 34w0d, 34+0 and 34 0/7; what is written otherwise is not guessed.
-- tables: course
CREATE TABLE context AS
WITH newest AS (
    SELECT
        patient,
        arg_max(born, (time, id)) AS born,
        arg_max(gestational_age, (time, id)) AS gestational_age,
        arg_max(indication, (time, id)) AS indication,
        arg_max(payer, (time, id)) AS payer,
        arg_max(oxygenation_index, (time, id)) AS oxygenation_index,
        arg_max(flags_cdh, (time, id)) AS cdh,
        arg_max(flags_right_to_left_shunt_dependent, (time, id)) AS right_to_left_shunt_dependent,
        arg_max(flags_lv_dysfunction, (time, id)) AS lv_dysfunction,
        arg_max(flags_echo_confirmed_ph, (time, id)) AS echo_confirmed_ph,
        arg_max(flags_conventional_therapy_failed, (time, id)) AS conventional_therapy_failed,
        arg_max(flags_no_donor_drug, (time, id)) AS no_donor_drug,
        arg_max(flags_ecmo, (time, id)) AS ecmo
    FROM course
    GROUP BY patient
),
written AS (
    SELECT
        *,
        regexp_extract(
            trim(gestational_age),
            '^([1-4][0-9])(?:w([0-6])d|\+([0-6])| ([0-6])/7)$',
            ['weeks', 'd', 'plus', 'sevenths']
        ) AS found
    FROM newest
)
SELECT
    * EXCLUDE (found),
    try_cast(found.weeks AS INTEGER) * 7
        + try_cast(found.d || found.plus || found.sevenths AS INTEGER) AS gestation_days
FROM written;
