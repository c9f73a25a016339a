-- id = "C10"
-- title = { zh = "前值与上次公布值相符", en = "the figure before is what was announced then" }
-- tables = ["cpi_announcement"]
-- basis = { zh = "前值列应为上一次公布的数值；不符者为转载错误或事后修订", en = "the figure before repeats the last announcement; where it differs the republisher erred or the figure was revised" }
-- severity = "WARN"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "前值", en = "figure before" }
-- rhs = { zh = "上次公布值", en = "last announcement" }
WITH announced AS (
  SELECT region_id, base_kind, announced_date, change_pct FROM cpi_announcement WHERE measure = 'current' AND change_pct IS NOT NULL
), before AS (
  SELECT p.region_id, p.base_kind, p.announced_date, max(a.announced_date) AS last_date
  FROM cpi_announcement AS p JOIN announced AS a ON a.region_id = p.region_id AND a.base_kind = p.base_kind AND a.announced_date < p.announced_date
  WHERE p.measure = 'previous' AND p.change_pct IS NOT NULL GROUP BY 1, 2, 3
)
SELECT concat_ws('/', p.region_id, p.base_kind, p.announced_date) AS scope_key, p.release_id, p.row_no, p.region_code,
  concat_ws(' ', p.region_name, p.base_kind, p.announced_date, '前值') AS subject_zh,
  concat_ws(' ', p.region_name, p.base_kind, p.announced_date, 'figure before') AS subject_en, p.change_pct AS lhs, a.change_pct AS rhs,
  1 AS addends, 0 AS missing, 0 AS step
FROM cpi_announcement AS p
JOIN before AS b ON b.region_id = p.region_id AND b.base_kind = p.base_kind AND b.announced_date = p.announced_date
JOIN announced AS a ON a.region_id = b.region_id AND a.base_kind = b.base_kind AND a.announced_date = b.last_date
WHERE p.measure = 'previous'
