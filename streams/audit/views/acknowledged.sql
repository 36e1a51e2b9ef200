-- One row for each alert that somebody acknowledged: when first, and who.
-- tables: action
CREATE TABLE acknowledged AS
SELECT alert AS id, min(time) AS acknowledged_at, arg_min("by", time) AS acknowledged_by
FROM action
WHERE action = 'acknowledge'
GROUP BY alert
