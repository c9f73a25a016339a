-- id = "C07"
-- title = { zh = "指数在合理范围内", en = "indices are plausible" }
-- tables = ["cpi_monthly"]
-- basis = { zh = "指数应在 50 至 200 之间，鲜菜、鲜果、畜肉、蛋、水产等在 20 至 400 之间", en = "indices lie within 50 and 200, those of fresh food within 20 and 400" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "较低一侧", en = "the lower one" }
-- rhs = { zh = "较高一侧", en = "the higher one" }
-- # 200 and 50 are twice and half of 100; 400 four times, 20 a fifth.
-- parameters = { a_high = "200", b_low = "50", c_fresh_high = "400", d_fresh_low = "20" }
WITH bound AS (
  SELECT c.*, item_code IN ('fresh_vegetables', 'fresh_fruit', 'fruit', 'livestock_meat', 'pork', 'beef', 'mutton', 'poultry', 'eggs', 'aquatic_products') AS is_fresh
  FROM cpi_monthly AS c
)
SELECT concat_ws('/', region_id, data_month, population, item_code, basket, base_kind) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, data_month, population, item_code, base_kind) AS subject_zh,
  concat_ws(' ', region_name, data_month, population, item_code, base_kind) AS subject_en,
  -- Whichever bound is nearer: the index against the high one, or the low one against the index.
  CASE WHEN index_value >= 100 THEN index_value ELSE CASE WHEN is_fresh THEN $4 ELSE $2 END END AS lhs,
  CASE WHEN index_value >= 100 THEN CASE WHEN is_fresh THEN $3 ELSE $1 END ELSE index_value END AS rhs,
  1 AS addends, CASE WHEN index_value IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM bound
