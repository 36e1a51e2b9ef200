-- The numbers by which courses and stops are told apart, one row. Questions have parameters of
-- their own; these hold for all of them. They are those of the default profile: a test compares.
-- tables:
CREATE TABLE limits AS
SELECT
    120::BIGINT * 1000000 AS gap_us,              -- telemetry_lost.low: longer is a gap
    2::BIGINT * 3600 * 1000000 AS interruption_us, -- course.interruption: longer ends the course
    2::BIGINT * 1000000 AS either_order_us,       -- course.either_order: last samples of a course
    60::BIGINT * 1000000 AS dose_held_us,         -- abrupt_stop.dose_held: shorter is no dose
    300::BIGINT * 1000000 AS correction_us,       -- fast_wean.correction: shorter is no step
    3600::BIGINT * 1000000 AS hour_us;
