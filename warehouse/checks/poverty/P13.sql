-- id = "P13"
-- title = { zh = "两份名单的摘帽年份一致", en = "two lists name the same year of exit" }
-- tables = ["poverty_county"]
-- basis = { zh = "同一县在各份名单中的退出年份应相同；不同的两者都保留", en = "a county left in one year, whatever the list; where two differ both stay" }
-- severity = "WARN"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "按省名单", en = "list by province" }
-- rhs = { zh = "全国名单", en = "national list" }
SELECT concat_ws('/', p.list_name, p.region_code) AS scope_key, p.release_id, p.row_no, p.region_code,
  concat(p.region_name, ' 的摘帽年份') AS subject_zh, concat('year of exit of ', p.region_name) AS subject_en,
  p.exit_year AS lhs, n.exit_year AS rhs, 1 AS addends,
  CASE WHEN p.exit_year IS NULL OR n.exit_year IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM poverty_county AS p JOIN poverty_county AS n ON n.region_code = p.region_code AND n.list_name = 'national_832'
WHERE p.list_name <> 'national_832'
