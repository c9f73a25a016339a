-- id = "C02"
-- title = { zh = "累计同比由环比链推算", en = "the year-to-date index follows from the chain of monthly ones" }
-- tables = ["cpi_monthly"]
-- basis = { zh = "累计同比 = 本年各月定基指数之和除以上年同期之和；差异 0.2 以内为相符，0.5 以内为舍入差", en = "year to date = sum of this year's chained indices over that of the same months a year before; they agree within 0.2, and rounding explains 0.5" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "相差", en = "difference" }
-- rhs = { zh = "允许", en = "allowed" }
-- parameters = { a_agree = "0.2", b_rounding = "0.5", c_months = "12" }
WITH line AS (
  SELECT l.*, CAST(substr(data_month, 1, 4) AS BIGINT) AS y, CAST(substr(data_month, 6, 2) AS BIGINT) AS m
  FROM cpi_monthly AS l WHERE index_value IS NOT NULL
), chain AS (
  SELECT region_id, population, item_code, y, m, exp(sum(ln(CAST(index_value AS DOUBLE) / 100)) OVER months) AS f, count(*) OVER months AS rank
  FROM line WHERE base_kind = 'mom' WINDOW months AS (PARTITION BY region_id, population, item_code ORDER BY y, m)
), part AS (
  SELECT region_id, population, item_code, y, m, rank, sum(f) OVER year AS total, count(*) OVER year AS months
  FROM chain WINDOW year AS (PARTITION BY region_id, population, item_code, y ORDER BY m)
)
SELECT concat_ws('/', t.region_id, t.data_month, t.population, t.item_code, t.basket) AS scope_key, t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, t.data_month, t.population, t.item_code, '累计同比与环比链') AS subject_zh,
  concat_ws(' ', t.region_name, t.data_month, t.population, t.item_code, 'year-to-date index and chain of the monthly ones') AS subject_en,
  CAST(round(abs(CAST(t.index_value AS DOUBLE) - 100 * a.total / b.total), 4) AS DECIMAL(20,4)) AS lhs, $1 AS rhs, 1 AS addends,
  -- Whole: both years are there from January on, and twelve months lie between the two. What is absent before them does not matter:
  -- it multiplies both sums alike.
  CASE WHEN a.months = t.m AND b.months = t.m AND a.rank - b.rank = $3 THEN 0 ELSE 1 END AS missing, $2 - $1 AS step
FROM line AS t
LEFT JOIN part AS a ON a.region_id = t.region_id AND a.population = t.population AND a.item_code = t.item_code AND a.y = t.y AND a.m = t.m
LEFT JOIN part AS b ON b.region_id = t.region_id AND b.population = t.population AND b.item_code = t.item_code AND b.y = t.y - 1 AND b.m = t.m
WHERE t.base_kind = 'ytd'
