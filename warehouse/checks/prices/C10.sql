-- id = "C10"
-- title = { zh = "前值与上次公布值相符", en = "the figure before is what was announced then" }
-- tables = ["cpi_announcement"]
-- basis = { zh = "前值列应为上一次公布的数值，公布按月进行；不符者为转载错误或事后修订；上月和本月此前都没有公布值的，缺上一次公布，不测试", en = "the figure before repeats the last announcement, and they come monthly; where it differs the republisher erred or the figure was revised; where neither the month before nor the month until that day has one, the last announcement is absent and nothing is tested" }
-- severity = "WARN"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "前值", en = "figure before" }
-- rhs = { zh = "上次公布值", en = "last announcement" }
-- parameters = { a_months = "1" }
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
  1 AS addends,
  -- An older announcement is not the last one: that of a month between is absent from the file.
  CASE WHEN 12 * (date_part('year', p.announced_date) - date_part('year', b.last_date))
    + date_part('month', p.announced_date) - date_part('month', b.last_date) > $1 THEN 1 ELSE 0 END AS missing, 0 AS step
FROM cpi_announcement AS p
JOIN before AS b ON b.region_id = p.region_id AND b.base_kind = p.base_kind AND b.announced_date = p.announced_date
JOIN announced AS a ON a.region_id = b.region_id AND a.base_kind = b.base_kind AND a.announced_date = b.last_date
WHERE p.measure = 'previous'
