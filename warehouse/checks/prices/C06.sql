-- id = "C06"
-- title = { zh = "十二月累计同比等于全年指数", en = "December's year-to-date index is that of the year" }
-- tables = ["cpi_annual", "cpi_monthly"]
-- basis = { zh = "一至十二月累计即全年；差异不超过 0.05", en = "the period until December is the year; they differ by at most 0.05" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "相差", en = "difference" }
-- rhs = { zh = "允许", en = "allowed" }
-- parameters = { allowed = "0.05" }
SELECT concat_ws('/', a.region_id, a.data_year, a.population, a.item_code, a.basket) AS scope_key, a.release_id, a.row_no, a.region_code,
  concat_ws(' ', a.region_name, a.data_year, a.population, a.item_code, '全年指数与十二月累计同比') AS subject_zh,
  concat_ws(' ', a.region_name, a.data_year, a.population, a.item_code, 'index of the year and year-to-date index of December') AS subject_en,
  abs(a.index_value - m.index_value) AS lhs, $1 AS rhs, 1 AS addends,
  CASE WHEN a.index_value IS NULL OR m.index_value IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM cpi_annual AS a JOIN cpi_monthly AS m ON m.base_kind = 'ytd' AND m.region_id = a.region_id AND m.population = a.population
  AND m.item_code = a.item_code AND m.basket = a.basket AND m.data_month = concat(CAST(a.data_year AS VARCHAR), '-12')
