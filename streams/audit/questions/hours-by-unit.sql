-- title: Hours of therapy by month and unit
-- asks: How many hours of inhaled nitric oxide did each unit give in each month, and at what cost?
-- tables: given
-- parameter: cost_per_h = 115.0 | what an hour costs, in dollars (Fischer 2021)
-- plot: bars x=month y=delivered_h
-- column: hours_per_patient = Delivered per patient, h
-- says: {delivered_h} h delivered; at {cost_per_h} US dollars an hour they cost {cost_usd}.
-- n: months of a unit
WITH bound AS (
    SELECT
        unnest(generate_series(
            date_trunc('month', $start::TIMESTAMPTZ), $stop::TIMESTAMPTZ, INTERVAL 1 MONTH
        )) AS month
),
span AS (
    SELECT
        strftime(month AT TIME ZONE 'UTC', '%Y-%m') AS month,
        greatest(epoch_us(month), epoch_us($start::TIMESTAMPTZ)) AS from_us,
        least(epoch_us(month + INTERVAL 1 MONTH), epoch_us($stop::TIMESTAMPTZ)) AS to_us
    FROM bound
),
part AS (
    SELECT
        month, unit, patient, blind,
        least(until_us, to_us) - greatest(begin_us, from_us) AS us
    FROM span JOIN given ON begin_us < to_us AND until_us > from_us
    WHERE $unit IS NULL OR unit = $unit
)
SELECT
    month, unit,
    count(DISTINCT patient) AS patients,
    round(sum(us)::BIGINT / 3600000000, 3) AS delivered_h,
    round(sum(us)::BIGINT / 3600000000 / count(DISTINCT patient), 3) AS hours_per_patient,
    round(sum(us)::BIGINT / 3600000000 * $cost_per_h, 2) AS cost_usd,
    round(sum(CASE WHEN blind THEN us ELSE 0 END)::BIGINT / 3600000000, 3) AS unseen_h,
    round(100.0 - 100.0 * sum(CASE WHEN blind THEN us ELSE 0 END)::BIGINT
        / nullif(sum(us)::BIGINT, 0), 1) AS coverage_pct
FROM part
GROUP BY month, unit
ORDER BY month, unit;
