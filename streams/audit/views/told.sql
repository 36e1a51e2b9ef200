-- One row for each alert of which a receiver was told, or was to be told: when it first got through
-- as an alert (not as its end), and how often it did.
--   due_at  the transition's own moment of the first page that was tried: an alert that began as a
--           reminder was to be told when it went up
-- tables: page
CREATE TABLE told AS
SELECT
    alert AS id,
    min("at") FILTER (WHERE outcome <> 'withheld' AND phase <> 'cleared') AS due_at,
    min(time) FILTER (WHERE outcome = 'delivered' AND phase <> 'cleared') AS told_at,
    count(*) FILTER (WHERE outcome = 'delivered' AND phase <> 'cleared') AS n_told,
    count(DISTINCT sink) FILTER (WHERE outcome = 'delivered' AND phase <> 'cleared') AS n_sinks
FROM page
GROUP BY alert
