-- title: Long courses
-- asks: Did the course last longer than 120 hours (and than 4 days)?
-- tables: ran
-- parameter: days = 4.0 | longer is long (Hughes Driscoll 2018)
-- parameter: long_h = 120.0 | longer is very long (Fischer 2021)
-- plot: bars x=patient y=elapsed_h
-- column: over_4_days = Longer than {days} days
-- says: {yes} of {rows course|courses} longer than {long_h} h[; {no} not]; {indeterminate}
--   indeterminate.
-- n: courses
WITH judged AS (
    SELECT
        *,
        CASE WHEN seen_h > $days * 24 THEN 'yes'
            WHEN stop_us IS NULL THEN 'indeterminate' ELSE 'no' END AS over_4_days,
        CASE WHEN seen_h > $long_h THEN 'yes'
            WHEN stop_us IS NULL THEN 'indeterminate' ELSE 'no' END AS result
    FROM ran($start, $stop, $unit)
)
SELECT
    patient, result,
    CASE result WHEN 'yes' THEN 'longer' WHEN 'no' THEN 'ended before' ELSE 'no end was seen' END
        AS reason,
    over_4_days,
    round(elapsed_h, 4) AS elapsed_h,
    round(delivered_h, 4) AS delivered_h,
    ended_by,
    unit, start, stop, coverage_pct
FROM judged
ORDER BY start, patient;
