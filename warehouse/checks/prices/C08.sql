-- id = "C08"
-- title = { zh = "各类影响之和与总指数变动一致", en = "contributions add up to the change of the index" }
-- tables = ["cpi_contribution", "cpi_monthly"]
-- basis = { zh = "八大类影响总指数的百分点之和 ≈ 总指数涨跌幅（指数 − 100），允许误差 0.1 乘以类数；须八大类齐全（2016 年前后名称不同），其中项不计", en = "the contributions of the eight categories add up to the change of the index (index − 100) within 0.1 times the number of categories; all eight are needed, which had other names until 2015, and items below them do not count" }
-- severity = "WARN"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "各类影响之和", en = "sum of the contributions" }
-- rhs = { zh = "总指数涨跌幅", en = "change of the index" }
-- # Parameters in order: $1 percentage points allowed for each category, $2 categories.
-- parameters = { allowed_each = "0.1", categories = "8" }
WITH category AS (
  SELECT region_id, data_month, population, basket, base_kind, min(region_code) AS region_code, min(region_name) AS region_name,
    min(concat(release_id, '#', right(concat('0000000000', CAST(row_no AS VARCHAR)), 10))) AS place,
    sum(CASE direction WHEN 'fall' THEN -contribution_pp ELSE contribution_pp END) AS total, count(DISTINCT CASE WHEN contribution_pp IS NOT NULL THEN item_code END) AS addends
  FROM cpi_contribution
  WHERE CASE WHEN basket = 'pre2016' THEN item_code IN ('food', 'tobacco_liquor', 'clothing', 'household_articles', 'health_personal', 'transport_communication', 'recreation_education', 'residence')
    ELSE item_code IN ('food_tobacco_liquor', 'clothing', 'residence', 'household', 'transport_communication', 'education_culture', 'health', 'other_goods_services') END
  GROUP BY 1, 2, 3, 4, 5
), headline AS (
  SELECT region_id, data_month, population, basket, base_kind, max(index_value) - 100 AS change
  FROM cpi_monthly WHERE item_code = 'total' GROUP BY 1, 2, 3, 4, 5
)
SELECT concat_ws('/', c.region_id, c.data_month, c.population, c.base_kind) AS scope_key,
  split_part(c.place, '#', 1) AS release_id, CAST(split_part(c.place, '#', 2) AS BIGINT) AS row_no, c.region_code,
  concat_ws(' ', c.region_name, c.data_month, c.base_kind, '各类影响') AS subject_zh,
  concat_ws(' ', c.region_name, c.data_month, c.base_kind, 'contributions') AS subject_en, c.total AS lhs,
  CASE WHEN abs(c.total - h.change) <= $1 * $2 THEN c.total ELSE h.change END AS rhs, c.addends,
  CASE WHEN c.addends < $2 OR h.change IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM category AS c LEFT JOIN headline AS h ON h.region_id = c.region_id AND h.data_month = c.data_month AND h.population = c.population
  AND h.basket = c.basket AND h.base_kind = c.base_kind
