-- title: Long courses
-- asks: Did the course last longer than 120 hours (and than 4 days)?
-- tables: ran
-- parameter: days = 4.0 | longer is long (Hughes Driscoll 2018)
-- parameter: long_h = 120.0 | longer is very long (Fischer 2021)
-- plot: bars x=patient y=elapsed_h
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
    patient, unit, start, stop, over_4_days, result,
    CASE result WHEN 'yes' THEN 'longer' WHEN 'no' THEN 'ended before' ELSE 'no end was seen' END
        AS reason,
    round(elapsed_h, 4) AS elapsed_h,
    round(delivered_h, 4) AS delivered_h,
    ended_by, coverage_pct
FROM judged
ORDER BY start, patient;
