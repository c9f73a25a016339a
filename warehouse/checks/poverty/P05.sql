-- id = "P05"
-- title = { zh = "公示不少于10天", en = "a notice is up for ten days at least" }
-- tables = ["poverty_notice"]
-- basis = { zh = "国开办发〔2018〕11号：公告公示不少于10天；起止两日都计入", en = "国开办发〔2018〕11号: notices are up for ten days at least; both end days count" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "至少", en = "at least" }
-- rhs = { zh = "公示天数", en = "days on display" }
-- parameters = { days = "10" }
SELECT concat_ws('/', fiscal_year, notice_id) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, subject_name) AS subject_zh, concat_ws(' ', region_name, subject_name) AS subject_en,
  $1 AS lhs, CAST(end_on AS INTEGER) - CAST(start_on AS INTEGER) + 1 AS rhs, 1 AS addends,
  CASE WHEN start_on IS NULL OR end_on IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM poverty_notice
