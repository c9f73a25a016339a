-- id = "E11"
-- title = { zh = "评价标准与数据时段相符", en = "the standard named is the one in force" }
-- tables = ["air_period_published"]
-- basis = { zh = "2026 年 2 月及以前的数据按 GB 3095-2012，2026 年 3 月起的数据按 GB 3095-2026；按数据日期而不是发布日期。2026 年年值跨两个标准，不检验；表中没有写明标准的不检验", en = "data up to February 2026 go by GB 3095-2012, data from March 2026 by GB 3095-2026; the date of the data counts, not that of the report. The year 2026 has both and is not tested, nor is a table that names no standard" }
-- severity = "ERROR"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "印刷标准的年号", en = "year of the standard as printed" }
-- rhs = { zh = "适用标准的年号", en = "year of the standard in force" }
-- parameters = { first = "2012", second = "2026" }
WITH report AS (
  SELECT region_id, period_kind, period, data_kind, min(release_id) AS release_id, min(row_no) AS row_no, min(region_code) AS region_code,
    min(region_name) AS region_name, min(standard_printed) AS standard
  FROM air_period_published WHERE standard_printed IS NOT NULL GROUP BY 1, 2, 3, 4
)
SELECT concat_ws('/', region_id, period_kind, period, data_kind) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, period, standard) AS subject_zh, concat_ws(' ', region_name, period, standard) AS subject_en,
  CASE WHEN standard LIKE '%2012' THEN $1 WHEN standard LIKE '%2026' THEN $2 ELSE 0 END AS lhs,
  CASE WHEN period >= '2026-03' THEN $2 ELSE $1 END AS rhs, 1 AS addends,
  CASE WHEN period = '2026' THEN 1 ELSE 0 END AS missing, 0 AS step
FROM report
