-- id = "N03"
-- title = { zh = "价格与近八期中位数相近", en = "a price is near the median of the last eight periods" }
-- tables = ["price_observation"]
-- basis = { zh = "换算到同一单位后，价格应在近八期中位数的 0.2 至 5 倍之间；不足八期不核对", en = "brought to one unit, a price lies between 0.2 and 5 times the median of the eight periods before; with fewer it is not tested" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "较低一侧", en = "the lower one" }
-- rhs = { zh = "较高一侧", en = "the higher one" }
-- parameters = { a_low = "0.2", b_high = "5", c_periods = "8" }
WITH priced AS (
  SELECT o.release_id, o.row_no, o.region_code, o.region_name, o.period_name, o.period_start, o.commodity_name, o.spec_name, o.value * CAST(u.factor AS DECIMAL(12,4)) AS price,
    concat_ws('/', o.region_id, o.period_kind, o.commodity_name, coalesce(o.spec_name, ''), o.price_kind, o.outlet_kind, coalesce(o.outlet_name, '')) AS good
  FROM price_observation AS o JOIN ref.unit AS u ON u.unit = o.unit WHERE o.measure = 'price' AND o.value IS NOT NULL
), ranked AS (
  SELECT p.*, row_number() OVER (PARTITION BY good ORDER BY period_start) AS n FROM priced AS p
), before AS (
  SELECT t.good, t.n, median(b.price) AS middle, count(*) AS periods
  FROM ranked AS t JOIN ranked AS b ON b.good = t.good AND b.n BETWEEN t.n - $3 AND t.n - 1 GROUP BY 1, 2
)
SELECT concat_ws('/', t.good, CAST(t.period_start AS VARCHAR)) AS scope_key, t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, t.period_name, t.commodity_name, t.spec_name, '与近八期中位数') AS subject_zh,
  concat_ws(' ', t.region_name, t.period_name, t.commodity_name, t.spec_name, 'and the median of eight periods') AS subject_en,
  -- Whichever bound is nearer.
  CASE WHEN t.price >= b.middle THEN t.price ELSE $1 * b.middle END AS lhs,
  CASE WHEN t.price >= b.middle THEN $2 * b.middle ELSE t.price END AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM ranked AS t JOIN before AS b ON b.good = t.good AND b.n = t.n
WHERE b.periods = $3
