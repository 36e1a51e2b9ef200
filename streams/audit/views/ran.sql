-- The courses that ran in a period, in a unit (NULL: any), one row each: `therapy` as it was known at
-- the end of the period, with the part of the course that lies in it.
--   from_us, to_us  that part; coverage_pct is of it alone
-- A course that began before the period is among them, so that of two periods that follow one another
-- none misses what happened: a question counts what lies in the part.
-- tables: therapy, seen
CREATE MACRO ran(since, until, ward) AS TABLE
WITH part AS (
    SELECT
        * EXCLUDE (coverage_pct),
        greatest(start_us, epoch_us(since::TIMESTAMPTZ)) AS from_us,
        least(end_us, epoch_us(until::TIMESTAMPTZ)) AS to_us
    FROM therapy
    WHERE start < until::TIMESTAMPTZ
        AND (start >= since::TIMESTAMPTZ OR end_us > epoch_us(since::TIMESTAMPTZ))
        AND (ward IS NULL OR list_contains(units, ward))
),
covered AS (
    SELECT
        part.patient, start_us,
        sum(least(until_us, to_us) - greatest(begin_us, from_us))::BIGINT AS us
    FROM part JOIN seen ON seen.patient = part.patient
        AND seen.begin_us < to_us AND seen.until_us > from_us
    GROUP BY part.patient, start_us
)
SELECT
    part.*,
    CASE WHEN to_us > from_us
        THEN round(100.0 * coalesce(covered.us, 0) / (to_us - from_us), 1) END AS coverage_pct
FROM part LEFT JOIN covered USING (patient, start_us);
