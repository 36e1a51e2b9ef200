-- title: Payer worksheets
-- asks: What do the label and the payer's policy ask of each course, and what is on record?
-- tables: ran, context, response_by, telemetry
-- parameter: spo2_points = 5.0 | so many points above the start SpO2 has improved (ward protocol)
-- parameter: fio2_points = 10.0 | so many points below the start FiO2 has improved
-- parameter: hold_min = 10.0 | so long it must be better
-- column: version = Policy version
-- column: effective = In force since
-- says: {met} of {rows worksheet|worksheets}, each of a course and a policy, met[; {review_needed}
--   to be reviewed]; {indeterminate} indeterminate.
-- n: courses and policies
WITH course_ AS (
    SELECT * FROM ran($start, $stop, $unit)
),
-- The last readings while it delivered.
reading AS (
    SELECT
        course_.patient, start_us,
        arg_max(fio2_pct, (time, device)) AS fio2_pct,
        arg_max(spo2_pct, (time, device)) AS spo2_pct
    FROM telemetry JOIN course_ ON course_.patient = telemetry.patient
        AND epoch_us(time) >= start_us AND epoch_us(time) < end_us
    WHERE mode IN ('delivering', 'backup') AND coalesce(generation, 'real') = 'real'
    GROUP BY course_.patient, start_us
),
known AS (
    SELECT
        course_.*, payer,
        -- The whole course, and what the rule `no-response-72h` calls an improvement.
        to_json({
            start_us: start_us,
            elapsed_us: end_us - start_us,
            delivered_us: round((earlier_h + delivered_h) * 3600000000)::BIGINT,
            response_us: least(improved_us, tapered_us) - start_us,
            measured: coalesce(spo2_known + fio2_known > 0, false),
            fio2_pct: fio2_pct,
            spo2_pct: spo2_pct,
            born_us: epoch_us(born),
            gestational_age: gestational_age,
            indication: indication,
            payer: payer,
            oxygenation_index: oxygenation_index,
            flags: {
                cdh: cdh,
                right_to_left_shunt_dependent: right_to_left_shunt_dependent,
                lv_dysfunction: lv_dysfunction,
                echo_confirmed_ph: echo_confirmed_ph,
                conventional_therapy_failed: conventional_therapy_failed,
                no_donor_drug: no_donor_drug,
                ecmo: ecmo
            }
        })::VARCHAR AS facts
    FROM course_
    LEFT JOIN context USING (patient)
    LEFT JOIN reading USING (patient, start_us)
    LEFT JOIN response_by(1000000, $spo2_points, $fio2_points, $hold_min) USING (patient, start_us)
),
answered AS (SELECT *, policy_answers(facts) AS answers FROM known),
-- A course whose payer has no policy here has a line that says so.
listed AS (
    SELECT * EXCLUDE (answers), unnest(answers) AS answer FROM answered
    UNION ALL BY NAME
    SELECT
        * EXCLUDE (answers),
        {
            policy: NULL, kind: 'payer', version: NULL, effective: NULL, result: 'indeterminate',
            initiation: NULL, continuation: NULL,
            reason: CASE WHEN payer IS NULL THEN 'the payer is not recorded'
                ELSE 'no policy of this payer is known here' END
        } AS answer
    FROM answered
    WHERE NOT list_contains(list_transform(answers, lambda one: one.kind), 'payer')
)
SELECT
    patient, answer.policy,
    answer.result, nullif(answer.reason, '') AS reason,
    answer.initiation, answer.continuation,
    payer, answer.kind, answer.version, answer.effective,
    round(elapsed_h, 2) AS elapsed_h,
    round(delivered_h, 2) AS delivered_h,
    unit, start, stop, coverage_pct
FROM listed
ORDER BY start, patient, answer.kind, answer.policy;
