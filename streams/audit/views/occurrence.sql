-- One row for each alert that was ever raised: what its transitions, taken together, say. `until` is
-- NULL while it is open. A priority stands as its rank, too: 0 for info to 3 for high.
-- tables: alert
CREATE TABLE occurrence AS
WITH ranked AS (
    SELECT *, list_position(['info', 'low', 'medium', 'high'], priority) - 1 AS rank FROM alert
)
SELECT
    id,
    any_value(rule) AS rule,
    any_value(patient) AS patient,
    arg_min(unit, "at") AS unit,
    arg_min(bed, "at") AS bed,
    min(onset) AS onset,
    min("at") AS raised_at,
    arg_min(reason, "at") AS raised_for,
    max("at") FILTER (WHERE phase = 'cleared') AS until,
    max(rank) FILTER (WHERE phase <> 'cleared') AS rank,
    arg_max(priority, rank) FILTER (WHERE phase <> 'cleared') AS priority,
    count(*) FILTER (WHERE phase = 'escalated') AS n_escalated,
    arg_min(rules_version, "at") AS judged_by
FROM ranked
GROUP BY id
