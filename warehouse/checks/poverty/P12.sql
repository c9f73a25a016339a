-- id = "P12"
-- title = { zh = "每户补助标准乘户数约为补助金额", en = "a subsidy per household times the households gives the amount" }
-- tables = ["poverty_project", "poverty_project_funding"]
-- basis = { zh = "补助标准为每户金额的，标准乘受益户数（总户数或贫困户数）与计划财政资金之差不超过百分之五", en = "where the standard is one per household, it times the households that benefit (all or the poor ones) differs from the planned public funds by 5 % at most" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "标准乘户数与金额之差", en = "difference" }
-- rhs = { zh = "允许的差", en = "difference allowed" }
-- parameters = { share = "0.05" }
WITH standard AS (
  -- The piece of the standard that is one per household: 5000元/户, 每户补助3000元.
  SELECT p.*, regexp_match(subsidy_standard, '[0-9.]+万?元(?:/|每)户|每户(?:补助)?[0-9.]+万?元')[1] AS piece
  FROM poverty_project AS p WHERE regexp_like(subsidy_standard, '[0-9.]+万?元(/|每)户|每户(补助)?[0-9.]+万?元')
), funding AS (
  SELECT fiscal_year, plan_version, project_code,
    CASE WHEN sum(CASE WHEN source_tier <> 'all' THEN 1 ELSE 0 END) > 0
      THEN sum(CASE WHEN source_tier NOT IN ('all', 'other') THEN amount_yuan END)
      ELSE sum(CASE WHEN source_tier = 'all' THEN amount_yuan END) END AS amount_yuan,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS absent
  FROM poverty_project_funding WHERE measure = 'planned' GROUP BY 1, 2, 3
), tested AS (
  SELECT s.*, f.amount_yuan, f.absent,
    TRY_CAST(regexp_match(piece, '[0-9.]+')[1] AS DECIMAL(12,4)) * CASE WHEN contains(piece, '万元') THEN 10000 ELSE 1 END AS subsidy_yuan
  FROM standard AS s
  LEFT JOIN funding AS f ON f.fiscal_year = s.fiscal_year AND f.plan_version = s.plan_version AND f.project_code = s.project_code
)
SELECT concat_ws('/', fiscal_year, plan_version, project_code) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', project_name, subsidy_standard) AS subject_zh, concat_ws(' ', project_name, subsidy_standard) AS subject_en,
  least(abs(subsidy_yuan * coalesce(benefit_household_count, poor_household_count) - amount_yuan),
    abs(subsidy_yuan * coalesce(poor_household_count, benefit_household_count) - amount_yuan)) AS lhs,
  $1 * amount_yuan AS rhs, 1 AS addends,
  CASE WHEN amount_yuan IS NULL OR subsidy_yuan IS NULL OR absent > 0 OR coalesce(poor_household_count, benefit_household_count) IS NULL THEN 1 ELSE 0 END AS missing,
  0 AS step
FROM tested
