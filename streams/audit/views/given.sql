-- When nitric oxide was given to a patient, and how much: parts that follow one another and never
-- overlap. Two devices at a hand-over are one delivery, at the higher dose, never their sum.
--   dose_ppm  what was set; NULL where it is not known (backup, or not
--             said for over a minute)
--   blind     a silence that delivery stands on both sides of: it counts as delivered, at the dose
--             before it
-- A device is silent by its own samples, also while another one in standby is heard; the monitor
-- counts such minutes as delivered, here they count only where delivery stands on both sides.
-- tables: stretch, limits
CREATE TABLE given AS
WITH piece AS (
    SELECT
        patient, device, number, unit, begin_us, until_us, next_us,
        -- A dose that a device leaves out for a minute is the one before; for longer it is unknown.
        CASE WHEN mode = 'delivering' AND (set_ppm IS NOT NULL OR until_us - begin_us <= dose_held_us)
            THEN dose_ppm END AS dose_ppm,
        next_us IS NULL OR until_us < next_us AS silent
    FROM stretch CROSS JOIN limits
    WHERE gives
),
roster AS (SELECT DISTINCT patient, device FROM piece),
edge AS (
    SELECT patient, begin_us AS at_us FROM piece
    UNION
    SELECT patient, until_us FROM piece
),
part AS (
    SELECT
        patient, at_us AS begin_us,
        lead(at_us) OVER (PARTITION BY patient ORDER BY at_us) AS until_us
    FROM edge
),
asked AS (SELECT part.*, roster.device FROM part JOIN roster USING (patient)),
known AS (
    SELECT
        asked.patient, asked.begin_us, asked.until_us,
        min(piece.unit) AS unit, max(piece.dose_ppm) AS dose_ppm
    FROM asked
    ASOF JOIN (SELECT * FROM piece WHERE until_us > begin_us) AS piece
        ON piece.patient = asked.patient AND piece.device = asked.device
        AND piece.begin_us <= asked.begin_us
    WHERE asked.until_us <= piece.until_us
    GROUP BY asked.patient, asked.begin_us, asked.until_us
),
ahead AS (
    SELECT
        *,
        max(until_us) OVER (
            PARTITION BY patient ORDER BY begin_us, device, number
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached_us,
        row_number() OVER (PARTITION BY patient ORDER BY begin_us, device, number) AS place
    FROM piece
),
island AS (
    SELECT
        *,
        sum((reached_us IS NULL OR begin_us > reached_us)::INTEGER)
            OVER (PARTITION BY patient ORDER BY place) AS island
    FROM ahead
),
-- Of each island its last piece: whether silence ended it, and what its device said next.
final AS (
    SELECT
        patient, island,
        min(begin_us) AS begin_us,
        max(until_us) AS until_us,
        arg_max((silent, next_us, unit, dose_ppm), (until_us, place)) AS last
    FROM island
    GROUP BY patient, island
),
between_two AS (
    SELECT
        patient, until_us AS begin_us, last,
        lead(begin_us) OVER (PARTITION BY patient ORDER BY island) AS until_us
    FROM final
)
SELECT patient, unit, begin_us, until_us, dose_ppm, false AS blind
FROM known
UNION ALL
SELECT patient, last[3], begin_us, until_us, last[4], true
FROM between_two
WHERE last[1] AND until_us IS NOT NULL AND coalesce(last[2] >= until_us, true);
