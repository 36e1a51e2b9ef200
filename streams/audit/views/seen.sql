-- When a patient was seen: stretches of time in which the samples, of whatever device and mode, are
-- no further apart than the gap. What lies between two of them is blind.
-- tables: stretch, limits
CREATE TABLE seen AS
WITH ahead AS (
    SELECT
        patient, begin_us, until_us,
        max(until_us) OVER (
            PARTITION BY patient ORDER BY begin_us, device, number
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached_us,
        row_number() OVER (PARTITION BY patient ORDER BY begin_us, device, number) AS number
    FROM stretch
),
island AS (
    SELECT
        *,
        sum((reached_us IS NULL OR begin_us - reached_us > (SELECT gap_us FROM limits))::INTEGER)
            OVER (PARTITION BY patient ORDER BY number) AS island
    FROM ahead
)
SELECT patient, min(begin_us) AS begin_us, max(until_us) AS until_us
FROM island
GROUP BY patient, island;
