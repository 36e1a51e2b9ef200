-- Methemoglobin results that count, one row each: of several versions the newest, none that was
-- withdrawn. `at_us` is the collection, `first_resulted_us` when the first of the versions came;
-- `value_pct` is in percent whatever the laboratory sent.
-- tables: lab
CREATE TABLE methb AS
WITH version AS (
    SELECT
        patient, id, status,
        epoch_us(time) AS at_us,
        epoch_us(resulted) AS resulted_us,
        min(CASE WHEN status IN ('final', 'amended') THEN epoch_us(resulted) END)
            OVER (PARTITION BY patient, id) AS first_resulted_us,
        round(CASE WHEN unit = '1' THEN value * 100 ELSE value END, 6) AS value_pct
    FROM lab
    WHERE code = '2614-6'
    -- Where the times of the results do not say, only an amendment stands above a withdrawal.
    QUALIFY row_number() OVER (
        PARTITION BY patient, id
        ORDER BY resulted DESC NULLS LAST,
            CASE status WHEN 'amended' THEN 0 WHEN 'final' THEN 2 ELSE 1 END,
            time DESC, value DESC NULLS LAST, unit
    ) = 1
)
SELECT patient, id, at_us, resulted_us, first_resulted_us, value_pct
FROM version
WHERE status NOT IN ('cancelled', 'entered-in-error');
