-- id = "W01"
-- title = { zh = "政务公开考核权重不低于4%", en = "disclosure weighs at least 4 per cent in the assessment" }
-- tables = ["assessment_weight"]
-- basis = { zh = "国务院办公厅要求政务公开纳入政府绩效考核，分值权重不低于4%（攀办发〔2019〕41号五（四））", en = "攀办发〔2019〕41号, after the State Council's office: disclosure is part of the assessment of governments and weighs at least 4 per cent" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "最低权重（%）", en = "least weight in per cent" }
-- rhs = { zh = "分值权重", en = "weight" }
-- parameters = { least_pct = "4.00" }
SELECT concat_ws('/', region_id, year) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(year, '年'), '政务公开考核权重') AS subject_zh, concat_ws(' ', region_name, year, 'weight of disclosure') AS subject_en,
  $1 AS lhs, weight_pct AS rhs, 1 AS addends, CASE WHEN weight_pct IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM assessment_weight
