-- title: Flags of eligibility
-- asks: Was the drug given to somebody about whom a label or a payer's policy asks?
-- tables: ran, context
-- parameter: weeks = 34.0 | born before so many weeks (S0, S1, S2); at exactly so many S1 is in two minds
-- parameter: age_days = 14.0 | older at the start (S2)
-- parameter: adult_years = 18.0 | older at the start (S1, S2)
-- column: preterm = Born before {weeks} weeks
-- column: at_border = Born at {weeks} weeks exactly
-- column: age_days = Age at the start, days
-- column: too_old = {age_days} days or older
-- column: adult = {adult_years} years or older
-- column: cdh = Diaphragmatic hernia
-- column: ards = ARDS
-- says: A label or a payer's policy asks about {yes} of {rows course|courses}[; about {no} it does
--   not]; {indeterminate} indeterminate.
-- n: courses
WITH known AS (
    SELECT
        therapy.*, context.* EXCLUDE (patient),
        (start_us - epoch_us(born)) / 86400000000 AS age_days
    FROM ran($start, $stop, $unit) AS therapy
    LEFT JOIN context ON context.patient = therapy.patient
),
asked AS (
    SELECT
        *,
        gestation_days < $weeks * 7 AS preterm,
        gestation_days = $weeks * 7 AS at_border,
        CASE WHEN age_days >= 0 THEN age_days >= $age_days END AS too_old,
        CASE WHEN age_days >= 0 THEN age_days >= $adult_years * 365.25 END AS adult,
        indication = 'ards' AS ards,
        indication = 'lung-transplant' AS lung_transplant
    FROM known
),
said AS (
    SELECT
        *,
        concat_ws(', ',
            CASE WHEN preterm THEN 'born too early' END,
            CASE WHEN at_border THEN 'born at the border' END,
            CASE WHEN too_old THEN 'older at the start' END,
            CASE WHEN adult THEN 'adult' END,
            CASE WHEN cdh THEN 'diaphragmatic hernia' END,
            CASE WHEN ards THEN 'ARDS' END,
            CASE WHEN lung_transplant THEN 'lung transplant' END
        ) AS found,
        concat_ws(', ',
            CASE WHEN gestation_days IS NULL THEN 'gestational age' END,
            CASE WHEN too_old IS NULL THEN 'age' END,
            CASE WHEN cdh IS NULL THEN 'diaphragmatic hernia' END,
            CASE WHEN indication IS NULL THEN 'indication' END
        ) AS unknown
    FROM asked
)
SELECT
    patient,
    CASE WHEN found <> '' THEN 'yes' WHEN unknown <> '' THEN 'indeterminate' ELSE 'no' END AS result,
    CASE WHEN found <> '' THEN found WHEN unknown <> '' THEN 'not known: ' || unknown
        ELSE 'none of them' END AS reason,
    CASE WHEN gestation_days IS NULL THEN NULL
        ELSE (gestation_days // 7) || 'w' || (gestation_days % 7) || 'd' END AS gestational_age,
    CASE WHEN preterm THEN 'yes' WHEN NOT preterm THEN 'no' ELSE 'indeterminate' END AS preterm,
    CASE WHEN at_border THEN 'yes' WHEN NOT at_border THEN 'no' ELSE 'indeterminate' END
        AS at_border,
    round(CASE WHEN age_days >= 0 THEN age_days END, 2) AS age_days,
    CASE WHEN too_old THEN 'yes' WHEN NOT too_old THEN 'no' ELSE 'indeterminate' END AS too_old,
    CASE WHEN adult THEN 'yes' WHEN NOT adult THEN 'no' ELSE 'indeterminate' END AS adult,
    CASE WHEN cdh THEN 'yes' WHEN NOT cdh THEN 'no' ELSE 'indeterminate' END AS cdh,
    CASE WHEN ards THEN 'yes' WHEN NOT ards THEN 'no' ELSE 'indeterminate' END AS ards,
    indication,
    nullif(unknown, '') AS not_known,
    unit, start, coverage_pct
FROM said
ORDER BY start, patient;
