-- id = "P07"
-- title = { zh = "项目公开内容齐全", en = "a project says what it has to" }
-- tables = ["poverty_project"]
-- basis = { zh = "国开办发〔2018〕11号：项目公开实施单位、责任人、举报电话、受益户数和人数、绩效目标", en = "国开办发〔2018〕11号: projects are published with their unit, person responsible, hotline, households and persons that benefit, and goal" }
-- severity = "ERROR"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR"]
-- blocking = true
-- lhs = { zh = "缺少的内容", en = "contents that are missing" }
-- rhs = { zh = "允许", en = "allowed" }
SELECT concat_ws('/', fiscal_year, plan_version, project_code) AS scope_key, release_id, row_no, region_code,
  concat(project_name, CASE WHEN implementing_org IS NULL THEN ' 缺实施单位' ELSE '' END,
    CASE WHEN responsible_person IS NULL THEN ' 缺责任人' ELSE '' END,
    CASE WHEN hotline IS NULL THEN ' 缺举报电话' ELSE '' END,
    CASE WHEN coalesce(benefit_household_count, poor_household_count) IS NULL THEN ' 缺受益户数' ELSE '' END,
    CASE WHEN coalesce(benefit_person_count, poor_person_count) IS NULL THEN ' 缺受益人数' ELSE '' END,
    CASE WHEN performance_goal IS NULL THEN ' 缺绩效目标' ELSE '' END) AS subject_zh,
  concat(project_name, CASE WHEN implementing_org IS NULL THEN ', no implementing unit' ELSE '' END,
    CASE WHEN responsible_person IS NULL THEN ', no person responsible' ELSE '' END,
    CASE WHEN hotline IS NULL THEN ', no hotline' ELSE '' END,
    CASE WHEN coalesce(benefit_household_count, poor_household_count) IS NULL THEN ', no number of households' ELSE '' END,
    CASE WHEN coalesce(benefit_person_count, poor_person_count) IS NULL THEN ', no number of persons' ELSE '' END,
    CASE WHEN performance_goal IS NULL THEN ', no goal' ELSE '' END) AS subject_en,
  CASE WHEN implementing_org IS NULL THEN 1 ELSE 0 END + CASE WHEN responsible_person IS NULL THEN 1 ELSE 0 END
    + CASE WHEN hotline IS NULL THEN 1 ELSE 0 END
    + CASE WHEN coalesce(benefit_household_count, poor_household_count) IS NULL THEN 1 ELSE 0 END
    + CASE WHEN coalesce(benefit_person_count, poor_person_count) IS NULL THEN 1 ELSE 0 END
    + CASE WHEN performance_goal IS NULL THEN 1 ELSE 0 END AS lhs,
  0 AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM poverty_project
