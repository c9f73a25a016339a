-- id = "C03"
-- title = { zh = "一月累计同比等于一月同比", en = "January's year-to-date index is its yearly index" }
-- tables = ["cpi_monthly"]
-- basis = { zh = "一月的同期只有一月；差异不超过 0.1", en = "the period until January is January; they differ by at most 0.1" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "相差", en = "difference" }
-- rhs = { zh = "允许", en = "allowed" }
-- parameters = { allowed = "0.1" }
SELECT concat_ws('/', t.region_id, t.data_month, t.population, t.item_code, t.basket) AS scope_key, t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, t.data_month, t.population, t.item_code, '累计同比与同比') AS subject_zh,
  concat_ws(' ', t.region_name, t.data_month, t.population, t.item_code, 'year-to-date and yearly index') AS subject_en,
  abs(t.index_value - y.index_value) AS lhs, $1 AS rhs, 1 AS addends,
  CASE WHEN t.index_value IS NULL OR y.index_value IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM cpi_monthly AS t JOIN cpi_monthly AS y ON y.base_kind = 'yoy' AND y.region_id = t.region_id AND y.data_month = t.data_month
  AND y.population = t.population AND y.item_code = t.item_code AND y.basket = t.basket
WHERE t.base_kind = 'ytd' AND substr(t.data_month, 6, 2) = '01'
