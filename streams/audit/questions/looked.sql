-- title: Who looked
-- asks: Who looked at what, when, and of which patient or unit?
-- tables: view, whereabouts
-- says: {rows look|looks} at what is on record.
-- n: looks
-- A look that names no unit is listed for a unit when its patient was there; a look at everything
-- is every unit's.
SELECT
    l.time,
    l."by" AS looked_by,
    l.what,
    nullif(l.patient, '') AS patient,
    coalesce(nullif(l.unit, ''), w.unit) AS unit
FROM "view" AS l
LEFT JOIN whereabouts AS w USING (patient)
WHERE l.time >= $start AND l.time < $stop
    AND ($unit IS NULL OR coalesce(nullif(l.unit, ''), w.unit, $unit) = $unit)
ORDER BY l.time, l."by", l.what, l.id
