-- title: Pages that failed
-- asks: How often did a receiver have to be told again, and how long did it not get what it was to
--   be told?
-- tables: page, alert, seconds
-- plot: bars x=sink y=n_retries
-- column: sink = Receiver
-- column: undelivered_min = Not delivered for
-- column: longest_min = Longest not delivered
-- says: {n_pages page|pages} took {n_attempts attempt|attempts}[; {n_undelivered} not delivered][;
--   {n_refused} refused for good]; {undelivered_min} min undelivered in all.
-- n: n_pages
-- A page is one transition to one receiver; its attempts are counted. It is undelivered from its
-- first failure until it got through or was refused for good; what had not by the end of the period
-- counts up to there. What was withheld was never tried.
WITH units AS (
    SELECT id AS alert, any_value(unit) AS unit FROM alert GROUP BY id
),
tried AS (
    SELECT
        sink, alert, phase, priority,
        count(*) AS n_attempts,
        count(*) FILTER (WHERE outcome = 'failed') AS n_failed,
        bool_or(outcome = 'delivered') AS delivered,
        bool_or(outcome = 'refused') AS refused,
        min(time) FILTER (WHERE outcome = 'failed') AS failed_at,
        min(time) FILTER (WHERE outcome IN ('delivered', 'refused')) AS settled_at
    FROM page
    LEFT JOIN units USING (alert)
    WHERE outcome <> 'withheld' AND time >= $start AND time < $stop
        AND ($unit IS NULL OR unit = $unit)
    GROUP BY sink, alert, phase, priority
),
timed AS (
    SELECT
        *,
        CASE WHEN failed_at < coalesce(settled_at, $stop)
            THEN seconds(failed_at, coalesce(settled_at, $stop)) / 60 ELSE 0 END AS undelivered_min
    FROM tried
)
SELECT
    sink,
    count(*) AS n_pages,
    sum(n_attempts) AS n_attempts,
    count(*) FILTER (WHERE delivered) AS n_delivered,
    count(*) FILTER (WHERE refused AND NOT delivered) AS n_refused,
    count(*) FILTER (WHERE NOT delivered AND NOT refused) AS n_undelivered,
    sum(n_attempts - 1) AS n_retries,
    round(100 * count(*) FILTER (WHERE delivered) / count(*), 2) AS delivered_pct,
    round(sum(undelivered_min), 1) AS undelivered_min,
    round(max(undelivered_min), 1) AS longest_min
FROM timed
GROUP BY sink
ORDER BY sink
