-- id = "P10"
-- title = { zh = "扶贫科目决算不少于专项资金支出", en = "the poverty class of the accounts holds the special funds spent" }
-- tables = ["poverty_project_funding", "gov_budget_line"]
-- basis = { zh = "项目拨付的专项扶贫资金列入本地区功能科目 21305；21305 还含其他支出，扶贫资金也可列其他科目，因此只提示", en = "special funds paid to projects are booked to class 21305 of the area, which holds other spending too, while poverty money is booked elsewhere as well: told, not judged" }
-- severity = "INFO"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "INFO", "SKIP"]
-- blocking = false
-- lhs = { zh = "项目拨付", en = "paid to projects" }
-- rhs = { zh = "科目 21305 决算数", en = "class 21305, final" }
-- # A city is tested where its accounts are there: its counties' plans that are public are a part of what it spent.
WITH payment AS (
  SELECT fiscal_year, project_code, left(region_code, 6) AS county_code, release_id, row_no, amount_yuan,
    row_number() OVER (PARTITION BY fiscal_year, project_code ORDER BY CASE plan_version WHEN 'completion' THEN 1 WHEN 'adjusted' THEN 2
      WHEN 'plan' THEN 3 ELSE 4 END) AS place
  FROM poverty_project_funding WHERE measure = 'paid' AND source_tier = 'all' AND region_code IS NOT NULL
), spent AS (
  SELECT fiscal_year, county_code AS region_code, min(release_id) AS release_id, min(row_no) AS row_no, sum(amount_yuan) AS paid
  FROM payment WHERE place = 1 AND NOT ends_with(county_code, '00') GROUP BY 1, 2
  UNION ALL
  SELECT fiscal_year, concat(left(county_code, 4), '00'), min(release_id), min(row_no), sum(amount_yuan)
  FROM payment WHERE place = 1 GROUP BY 1, 2
), accounts AS (
  SELECT fiscal_year, region_code, quoted_in, table_code,
    coalesce(max(CASE WHEN class_code = '21305' THEN amount_yuan END), sum(CASE WHEN char_length(class_code) = 7 THEN amount_yuan END)) AS final_yuan
  FROM gov_budget_line
  WHERE class_code LIKE '21305%' AND class_scheme = 'functional' AND scope = 'area' AND stage = 'FINAL' AND measure = 'final'
    AND transfer_kind IS NULL
  GROUP BY 1, 2, 3, 4
), place_name AS (
  SELECT region_code, max(name) AS name FROM ref.region WHERE valid_to IS NULL GROUP BY 1
)
SELECT concat_ws('/', s.region_code, s.fiscal_year, a.table_code, a.quoted_in) AS scope_key, s.release_id, s.row_no, s.region_code,
  concat_ws(' ', n.name, concat(s.fiscal_year, '年')) AS subject_zh, concat_ws(' ', n.name, s.fiscal_year) AS subject_en,
  s.paid AS lhs, a.final_yuan AS rhs, 1 AS addends, CASE WHEN s.paid IS NULL OR a.final_yuan IS NULL THEN 1 ELSE 0 END AS missing,
  0 AS step
FROM spent AS s
LEFT JOIN accounts AS a ON a.fiscal_year = s.fiscal_year AND a.region_code = s.region_code
LEFT JOIN place_name AS n ON n.region_code = s.region_code
WHERE a.region_code IS NOT NULL OR NOT ends_with(s.region_code, '00')
