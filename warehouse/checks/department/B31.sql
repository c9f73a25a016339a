-- id = "B31"
-- title = { zh = "“三公”经费与实物量相符", en = "official spending agrees with what was counted" }
-- tables = ["three_public"]
-- basis = { zh = "公务用车购置数为零当且仅当购置费为零；公务接待费除以接待人次在 1 元至 1000 元之间。说明未写金额时取“三公”经费支出决算表的金额", en = "no car was bought exactly where nothing was spent on buying; receptions cost 1 to 1,000 yuan a guest. Where the notes give no amount, that of the table of official spending is taken" }
-- severity = "WARN"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "购置数或人均接待费（元）", en = "cars bought, or yuan a guest" }
-- rhs = { zh = "与金额相符的数", en = "what the amount allows" }
-- # Parameters in order: $1 the highest cost a guest in yuan, $2 the lowest.
-- parameters = { highest = "1000", lowest = "1" }
WITH fee AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, quoted_in, item, max(amount_yuan) AS amount_yuan FROM three_public
  WHERE stage = 'FINAL' AND table_code = 'DF07' AND NOT is_nil GROUP BY 1, 2, 3, 4, 5, 6
), counted AS (
  SELECT c.*, coalesce(c.amount_yuan, f.amount_yuan) AS fee_yuan
  FROM three_public AS c LEFT JOIN fee AS f ON f.region_id = c.region_id AND f.org_id = c.org_id AND f.unit_org_id = c.unit_org_id
    AND f.fiscal_year = c.fiscal_year AND f.quoted_in = c.quoted_in AND f.item = c.item
  WHERE c.stage = 'FINAL' AND NOT c.is_nil
), identity AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, quoted_in, table_code, 'cars_bought' AS what, '公务用车购置数与购置费' AS what_zh, 'cars bought' AS what_en,
    release_id, row_no, region_code, org_name, unit_name, fee_yuan, CAST(cars_bought_count AS DECIMAL(20,2)) AS lhs,
    CASE WHEN (cars_bought_count = 0) = (fee_yuan = 0) THEN CAST(cars_bought_count AS DECIMAL(20,2))
      WHEN fee_yuan = 0 THEN CAST(0 AS DECIMAL(20,2)) ELSE CAST(1 AS DECIMAL(20,2)) END AS rhs
  FROM counted WHERE item = 'car_purchase' AND cars_bought_count IS NOT NULL
  UNION ALL
  -- Without a guest whatever was spent is out of bounds.
  SELECT region_id, org_id, unit_org_id, fiscal_year, quoted_in, table_code, 'reception', '公务接待费与接待人次', 'receptions a guest',
    release_id, row_no, region_code, org_name, unit_name, fee_yuan,
    CASE WHEN reception_person_count > 0 THEN CAST(fee_yuan / nullif(reception_person_count, 0) AS DECIMAL(20,2)) ELSE CAST(fee_yuan AS DECIMAL(20,2)) END,
    CASE WHEN reception_person_count = 0 THEN CAST(0 AS DECIMAL(20,2))
      WHEN fee_yuan / nullif(reception_person_count, 0) > $1 THEN CAST($1 AS DECIMAL(20,2))
      WHEN fee_yuan / nullif(reception_person_count, 0) < $2 THEN CAST($2 AS DECIMAL(20,2))
      ELSE CAST(fee_yuan / nullif(reception_person_count, 0) AS DECIMAL(20,2)) END
  FROM counted WHERE item = 'reception' AND reception_person_count IS NOT NULL
)
SELECT concat_ws('/', region_id, org_id, unit_org_id, fiscal_year, quoted_in, table_code, what) AS scope_key,
  release_id, row_no, region_code,
  concat_ws(' ', org_name, unit_name, concat(fiscal_year, '年'), what_zh) AS subject_zh,
  concat_ws(' ', org_name, unit_name, fiscal_year, what_en) AS subject_en,
  lhs, rhs, 1 AS addends, CASE WHEN fee_yuan IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM identity
