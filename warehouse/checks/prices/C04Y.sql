-- id = "C04Y"
-- title = { zh = "全年总指数在八大类之间", en = "the index of a year lies between those of its eight categories" }
-- tables = ["cpi_annual"]
-- basis = { zh = "加权平均介于各分项之间，四舍五入不改变次序；须八大类齐全（2016 年前后名称不同），细项不计", en = "a weighted mean lies between its parts and rounding keeps the order; all eight categories are needed, which had other names until 2015; items below them do not count" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "较低一侧", en = "the lower one" }
-- rhs = { zh = "较高一侧", en = "the higher one" }
-- parameters = { categories = "8" }
WITH category AS (
  SELECT region_id, data_year, population, basket, min(index_value) AS lowest, max(index_value) AS highest, count(index_value) AS addends
  FROM cpi_annual
  WHERE CASE WHEN basket = 'pre2016' THEN item_code IN ('food', 'tobacco_liquor', 'clothing', 'household_articles', 'health_personal', 'transport_communication', 'recreation_education', 'residence')
    ELSE item_code IN ('food_tobacco_liquor', 'clothing', 'residence', 'household', 'transport_communication', 'education_culture', 'health', 'other_goods_services') END
  GROUP BY 1, 2, 3, 4
)
SELECT concat_ws('/', t.region_id, t.data_year, t.population, 'lowest') AS scope_key, t.release_id, t.row_no,
  t.region_code, concat_ws(' ', t.region_name, t.data_year, t.population, '不低于最低类别') AS subject_zh,
  concat_ws(' ', t.region_name, t.data_year, t.population, 'at least the lowest category') AS subject_en, c.lowest AS lhs, t.index_value AS rhs, c.addends,
  CASE WHEN c.addends < $1 OR t.index_value IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM cpi_annual AS t JOIN category AS c ON c.region_id = t.region_id AND c.data_year = t.data_year AND c.population = t.population AND c.basket = t.basket
WHERE t.item_code = 'total'
UNION ALL
SELECT concat_ws('/', t.region_id, t.data_year, t.population, 'highest') AS scope_key, t.release_id, t.row_no,
  t.region_code, concat_ws(' ', t.region_name, t.data_year, t.population, '不高于最高类别') AS subject_zh,
  concat_ws(' ', t.region_name, t.data_year, t.population, 'at most the highest category') AS subject_en, t.index_value AS lhs, c.highest AS rhs, c.addends,
  CASE WHEN c.addends < $1 OR t.index_value IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM cpi_annual AS t JOIN category AS c ON c.region_id = t.region_id AND c.data_year = t.data_year AND c.population = t.population AND c.basket = t.basket
WHERE t.item_code = 'total'
