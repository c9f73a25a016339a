-- id = "B44"
-- title = { zh = "绩效自评分值合计一百，得分不超过分值", en = "the weights of a self-evaluation add up to one hundred, and no score exceeds its weight" }
-- tables = ["performance_target"]
-- basis = { zh = "项目支出绩效自评表：一个项目各项分值之和为 100；每项得分不超过分值", en = "self-evaluations of projects: the weights of one project add up to 100, and each score is at most its weight" }
-- severity = "ERROR"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "分值合计或得分", en = "sum of weights, or score" }
-- rhs = { zh = "100，或不超过分值的得分", en = "100, or the score that the weight allows" }
WITH evaluation AS (
  SELECT * FROM performance_target WHERE table_code = 'DF11'
), project AS (
  SELECT region_id, org_id, fiscal_year, project_name, min(region_code) AS region_code, min(org_name) AS org_name,
    min(release_id) AS release_id, min(row_no) AS row_no, sum(weight_points) AS weight_points,
    sum(CASE WHEN weight_points IS NULL THEN 1 ELSE 0 END) AS missing
  FROM evaluation GROUP BY 1, 2, 3, 4
)
SELECT concat_ws('/', region_id, org_id, fiscal_year, project_name, 'weights') AS scope_key,
  release_id, row_no, region_code,
  concat_ws(' ', org_name, concat(fiscal_year, '年'), project_name, '分值合计') AS subject_zh,
  concat_ws(' ', org_name, fiscal_year, project_name, 'sum of weights') AS subject_en,
  weight_points AS lhs, 100 AS rhs, 1 AS addends, missing, 0 AS step
FROM project
UNION ALL
SELECT concat_ws('/', region_id, org_id, fiscal_year, project_name, indicator_level1, indicator_level2, indicator_name),
  release_id, row_no, region_code,
  concat_ws(' ', org_name, concat(fiscal_year, '年'), project_name, indicator_name, '得分'),
  concat_ws(' ', org_name, fiscal_year, project_name, indicator_name, 'score'),
  score_points, CASE WHEN score_points > weight_points THEN weight_points ELSE score_points END, 1, CASE WHEN weight_points IS NULL THEN 1 ELSE 0 END, 0
FROM evaluation WHERE score_points IS NOT NULL
