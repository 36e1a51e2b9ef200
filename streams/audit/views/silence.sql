-- One row for each time that a rule was silenced for a patient: until its end, or until somebody
-- took it back, whichever came first.
-- tables: action
CREATE TABLE silence AS
SELECT
    put.id, put.patient, put.rule, put."by", put.reason, put.time AS since,
    least(put.until, coalesce(min(back.time), put.until)) AS until
FROM action AS put
LEFT JOIN action AS back
    ON back.patient = put.patient
    AND back.action = 'unsilence'
    AND (back.rule IS NULL OR back.rule = put.rule)
    AND back.time >= put.time
WHERE put.action = 'silence'
GROUP BY put.id, put.patient, put.rule, put."by", put.reason, put.time, put.until
