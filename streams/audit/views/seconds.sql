-- The seconds from one moment to another; NULL when either is unknown.
CREATE MACRO seconds(earlier, later) AS (epoch_us(later) - epoch_us(earlier)) / 1e6
