-- The doses of each run of a course in their order. A dose stands until the next one or until the
-- run ends, whatever comes between (calibration, backup, a silence).
--   final    the last of its run; held: it stood for at least 60 s
--   settled  it stood long enough to count as a step (5 min)
-- tables: run, given, therapy, limits
CREATE TABLE dose AS
WITH part AS (
    SELECT
        run.patient, run.start_us, run.number AS run, coalesce(run.end_us, therapy.end_us) AS end_us,
        greatest(given.begin_us, run.begin_us) AS begin_us, dose_ppm
    FROM run JOIN therapy USING (patient, start_us)
    JOIN given ON given.patient = run.patient AND dose_ppm IS NOT NULL
        AND given.begin_us < coalesce(run.end_us, therapy.end_us) AND given.until_us > run.begin_us
),
changed AS (
    SELECT * FROM part
    QUALIFY dose_ppm IS DISTINCT FROM
        lag(dose_ppm) OVER (PARTITION BY patient, start_us, run ORDER BY begin_us)
),
lasting AS (
    SELECT
        patient, start_us, run, begin_us, dose_ppm,
        coalesce(lead(begin_us) OVER along, end_us) AS until_us,
        lead(begin_us) OVER along IS NULL AS final
    FROM changed
    WINDOW along AS (PARTITION BY patient, start_us, run ORDER BY begin_us)
)
SELECT
    lasting.*,
    until_us - begin_us >= dose_held_us AS held,
    until_us - begin_us >= correction_us AS settled
FROM lasting CROSS JOIN limits;
