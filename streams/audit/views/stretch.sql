-- What one device at one patient said without a change: from its first sample to the first of the
-- next stretch. A silence of more than the gap parts two stretches as well. Real samples only,
-- in the order of their own times: a store does not know when they arrived.
--   begin_us, last_us  its first and its last sample; next_us the first of the next one, or NULL
--   until_us           next_us, or last_us where silence follows
--   dose_ppm           the last dose that the device said; active: it delivers as far as is known
--   gives              the patient gets nitric oxide from it; gave: so it was just before
--   starts             a course may begin with it
-- It reads the samples once and leaves little: everything after it is small.
-- tables: telemetry, limits
CREATE TABLE stretch AS
WITH sample AS (
    SELECT
        patient, device, unit, bed, mode, set_ppm, seq,
        epoch_us(time) AS at_us,
        coalesce(validity, 'valid') = 'valid' AS valid
    FROM telemetry
    WHERE coalesce(generation, 'real') = 'real'
),
beside AS (
    SELECT
        *,
        lag(at_us) OVER along AS before_us,
        lead(at_us) OVER along IS NULL AS ends,
        (mode, set_ppm, valid, unit, bed) IS DISTINCT FROM lag((mode, set_ppm, valid, unit, bed))
            OVER along AS differs
    FROM sample
    WINDOW along AS (PARTITION BY patient, device ORDER BY at_us, seq NULLS FIRST, mode, set_ppm)
),
edge AS (
    SELECT *, (differs OR at_us - before_us > (SELECT gap_us FROM limits)) AS begins
    FROM beside
    WHERE differs OR ends OR at_us - before_us > (SELECT gap_us FROM limits)
),
whole AS (
    SELECT
        patient, device, unit, bed, mode, set_ppm, valid, begins,
        at_us AS begin_us,
        -- Behind the last stretch of a device stands its last sample, if that is another one.
        CASE WHEN lead(begins) OVER along THEN lead(before_us) OVER along
            ELSE coalesce(lead(at_us) OVER along, at_us) END AS last_us,
        CASE WHEN lead(begins) OVER along THEN lead(at_us) OVER along END AS next_us,
        row_number() OVER along AS number
    FROM edge
    WINDOW along AS (PARTITION BY patient, device ORDER BY at_us, seq NULLS FIRST, mode, set_ppm)
),
dosed AS (
    SELECT
        * EXCLUDE (begins),
        last_value(CASE WHEN mode = 'delivering' THEN set_ppm END IGNORE NULLS) OVER (
            PARTITION BY patient, device ORDER BY number ROWS UNBOUNDED PRECEDING
        ) AS dose_ppm
    FROM whole
    WHERE begins
),
told AS (
    SELECT
        *,
        coalesce(last_value(CASE
            WHEN mode = 'backup' THEN true
            WHEN mode = 'delivering' THEN coalesce(dose_ppm > 0, true)
            WHEN mode IN ('off', 'standby') THEN false
        END IGNORE NULLS) OVER (
            PARTITION BY patient, device ORDER BY number ROWS UNBOUNDED PRECEDING
        ), false) AS active
    FROM dosed
)
SELECT
    * EXCLUDE (valid),
    CASE WHEN next_us - last_us <= (SELECT gap_us FROM limits) THEN next_us ELSE last_us END
        AS until_us,
    active AND mode IN ('delivering', 'backup') AS gives,
    coalesce(lag(active) OVER (PARTITION BY patient, device ORDER BY number), false) AS gave,
    mode = 'delivering' AND valid AND coalesce(set_ppm > 0, false) AS starts
FROM told;
