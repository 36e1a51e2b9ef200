-- Delivery from where it begins to where a device says that it ended, with the course that it
-- belongs to. An interruption of at most 2 h goes on with the same course; a person's
-- `close-course` ends one. The words are those of the core: silence is never an end.
--   start_us         of the course; begin_us, end_us: of this run (NULL: no end was said)
--   closed_us, closed_as  the act that closed the course, if one did
--   counted_us  the last sample before an act that closed it while it delivered
-- tables: stretch, action, telemetry, limits
CREATE TABLE run AS
WITH roster AS (SELECT DISTINCT patient, device FROM stretch),
pair AS (
    SELECT stretch.patient, stretch.device, stretch.number, stretch.begin_us, roster.device AS other
    FROM stretch JOIN roster ON roster.patient = stretch.patient AND roster.device <> stretch.device
),
-- Does another device deliver, as far as was heard lately?
elsewhere AS (
    SELECT
        pair.patient, pair.device, pair.number,
        bool_or(theirs.active AND pair.begin_us - theirs.last_us <= (SELECT gap_us FROM limits))
            AS gives
    FROM pair ASOF JOIN stretch AS theirs
        ON theirs.patient = pair.patient AND theirs.device = pair.other
        AND theirs.begin_us <= pair.begin_us
    GROUP BY pair.patient, pair.device, pair.number
),
said AS (
    SELECT
        stretch.patient, begin_us AS at_us, starts,
        CASE
            WHEN stretch.gives THEN 'deliver'
            WHEN mode IN ('off', 'standby', 'delivering') AND gave
                AND NOT coalesce(elsewhere.gives, false) THEN 'end'
        END AS signal,
        row_number() OVER (PARTITION BY stretch.patient ORDER BY begin_us, device, number) AS place
    FROM stretch LEFT JOIN elsewhere USING (patient, device, number)
),
closing AS (
    SELECT patient, epoch_us(time) AS at_us, coalesce(reason, 'other') AS reason, id
    FROM action WHERE action = 'close-course'
),
-- Where a device delivers on after the course was closed, a new one begins with its next sample,
-- and what was delivered is known up to the sample before.
going_on AS (
    SELECT
        closing.patient, stretch.device, closing.at_us, gap_us,
        closing.at_us + either_order_us AS after_us
    FROM closing CROSS JOIN limits JOIN stretch USING (patient)
    WHERE stretch.starts AND stretch.begin_us <= closing.at_us + either_order_us
        AND stretch.last_us > closing.at_us + either_order_us
),
next_sample AS (
    SELECT going_on.patient, min(epoch_us(telemetry.time)) AS at_us
    FROM telemetry JOIN going_on USING (patient, device)
    WHERE epoch_us(telemetry.time) > after_us AND epoch_us(telemetry.time) <= after_us + gap_us
    GROUP BY going_on.patient, after_us
),
last_sample AS (
    SELECT closing.patient, closing.at_us, max(epoch_us(telemetry.time)) AS counted_us
    FROM closing JOIN stretch ON stretch.patient = closing.patient AND stretch.gives
        AND stretch.begin_us <= closing.at_us AND coalesce(stretch.next_us > closing.at_us, true)
    JOIN telemetry ON telemetry.patient = closing.patient
        AND epoch_us(telemetry.time) <= closing.at_us
        AND epoch_us(telemetry.time) >= least(
            stretch.last_us, closing.at_us - (SELECT gap_us FROM limits)
        )
    WHERE coalesce(generation, 'real') = 'real'
    GROUP BY closing.patient, closing.at_us
),
event AS (
    SELECT patient, at_us, 0 AS kind, place, signal, starts, NULL AS reason
    FROM said WHERE signal IS NOT NULL
    UNION ALL
    SELECT patient, at_us, 1, row_number() OVER (ORDER BY patient, at_us, id), 'close', false, reason
    FROM closing
    UNION ALL
    SELECT patient, at_us, 2, 0, 'deliver', true, NULL FROM next_sample
),
-- Only the first of several ends in a row is one.
turn AS (
    SELECT
        *,
        max(CASE WHEN signal = 'close' THEN at_us END) OVER along AS closed_us
    FROM event
    WINDOW along AS (PARTITION BY patient ORDER BY at_us, kind, place)
    QUALIFY signal <> 'end' OR coalesce(lag(signal) OVER along = 'deliver', false)
),
parted AS (
    SELECT
        *,
        starts AND coalesce(at_us > closed_us + either_order_us, true) AS may_start,
        coalesce(
            lag(signal) OVER along = 'close'
                OR (lag(signal) OVER along = 'end' AND at_us - lag(at_us) OVER along > interruption_us),
            true
        ) AS parts
    FROM turn CROSS JOIN limits
    WINDOW along AS (PARTITION BY patient ORDER BY at_us, kind, place)
),
segment AS (
    SELECT
        *,
        sum(parts::INTEGER) OVER (PARTITION BY patient ORDER BY at_us, kind, place) AS segment
    FROM parted
),
course AS (
    SELECT
        *,
        min(CASE WHEN may_start THEN at_us END) OVER whole AS start_us,
        max(CASE WHEN signal = 'close' THEN at_us END) OVER whole AS course_closed_us,
        max(CASE WHEN signal = 'close' THEN reason END) OVER whole AS closed_as
    FROM segment
    WINDOW whole AS (PARTITION BY patient, segment)
),
-- A run begins with the start of the course, or with the first delivery after an end.
begun AS (
    SELECT
        *,
        signal = 'deliver' AND coalesce(lag(signal) OVER along <> 'deliver', true) AS begins
    FROM (SELECT * FROM course WHERE at_us >= start_us)
    WINDOW along AS (PARTITION BY patient, segment ORDER BY at_us, kind, place)
),
numbered AS (
    SELECT
        *,
        sum(begins::INTEGER) OVER (PARTITION BY patient, segment ORDER BY at_us, kind, place)
            AS number
    FROM begun
)
SELECT
    numbered.patient, start_us, number,
    min(numbered.at_us) AS begin_us,
    coalesce(min(CASE WHEN signal = 'end' THEN numbered.at_us END), max(course_closed_us)) AS end_us,
    bool_or(signal = 'end') AS ended,
    max(course_closed_us) AS closed_us,
    max(closed_as) AS closed_as,
    max(CASE WHEN signal = 'close' THEN counted_us END) AS counted_us
FROM numbered LEFT JOIN last_sample
    ON last_sample.patient = numbered.patient AND last_sample.at_us = numbered.at_us
GROUP BY numbered.patient, start_us, number;
