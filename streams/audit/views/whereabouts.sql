-- One row for each patient: the unit that was last said of them, for records that name none.
-- tables: course, alert
CREATE TABLE whereabouts AS
SELECT patient, arg_max(unit, (moment, unit)) AS unit
FROM (
    SELECT patient, time AS moment, unit FROM course WHERE unit IS NOT NULL
    UNION ALL
    SELECT patient, "at" AS moment, unit FROM alert
)
GROUP BY patient
