-- id = "C09"
-- title = { zh = "指数变动由指数本身得出", en = "changes of an index follow from the index" }
-- tables = ["price_index_monthly"]
-- basis = { zh = "同比增长、环比增长 = 100·(指数 ÷ 上年同月或上月指数 − 1)，比较到四位小数", en = "change = 100·(index ÷ index a year or a month earlier − 1), compared to four decimals" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "所列变动", en = "printed change" }
-- rhs = { zh = "按指数计算", en = "computed from the index" }
WITH line AS (
  SELECT l.*, CAST(substr(data_month, 1, 4) AS BIGINT) * 12 + CAST(substr(data_month, 6, 2) AS BIGINT) AS n FROM price_index_monthly AS l
)
SELECT concat_ws('/', t.region_id, t.data_month, t.index_family, t.item_code, t.measure) AS scope_key, t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, t.data_month, t.index_family, t.item_code, t.measure) AS subject_zh,
  concat_ws(' ', t.region_name, t.data_month, t.index_family, t.item_code, t.measure) AS subject_en, t.value AS lhs,
  CAST(round(100 * (CAST(i.value AS DOUBLE) / CAST(b.value AS DOUBLE) - 1), 4) AS DECIMAL(20,4)) AS rhs, 1 AS addends,
  CASE WHEN t.value IS NULL OR i.value IS NULL OR b.value IS NULL THEN 1 ELSE 0 END AS missing, CAST(0.0001 AS DECIMAL(9,4)) AS step
FROM line AS t
JOIN line AS i ON i.measure = 'index' AND i.region_id = t.region_id AND i.index_family = t.index_family AND i.item_code = t.item_code AND i.n = t.n
JOIN line AS b ON b.measure = 'index' AND b.region_id = t.region_id AND b.index_family = t.index_family AND b.item_code = t.item_code
  AND b.n = t.n - CASE t.measure WHEN 'change_yoy' THEN 12 ELSE 1 END
WHERE t.measure IN ('change_yoy', 'change_mom')
