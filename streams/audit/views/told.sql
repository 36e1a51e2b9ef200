-- One row for each alert of which a receiver was told, or was to be told: when it first got through
-- as an alert (not as its end), and how often it did.
-- tables: page
CREATE TABLE told AS
SELECT
    alert AS id,
    min(time) FILTER (WHERE outcome = 'delivered' AND phase <> 'cleared') AS told_at,
    count(*) FILTER (WHERE outcome = 'delivered' AND phase <> 'cleared') AS n_told,
    count(DISTINCT sink) FILTER (WHERE outcome = 'delivered' AND phase <> 'cleared') AS n_sinks
FROM page
GROUP BY alert
