-- id = "C05"
-- title = { zh = "总指数在两部分之间", en = "the index lies between its two parts" }
-- tables = ["cpi_monthly"]
-- basis = { zh = "总指数是食品与非食品、消费品与服务的加权平均，介于两者之间", en = "the index is a weighted mean of food and non-food, and of consumer goods and services, and lies between them" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "较低一侧", en = "the lower one" }
-- rhs = { zh = "较高一侧", en = "the higher one" }
WITH part AS (
  SELECT region_id, data_month, population, basket, base_kind,
    CASE WHEN item_code IN ('food', 'non_food') THEN 'food' ELSE 'goods' END AS split,
    min(index_value) AS lowest, max(index_value) AS highest, count(index_value) AS addends
  FROM cpi_monthly
  WHERE item_code IN ('food', 'non_food', 'consumer_goods', 'services') GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT concat_ws('/', t.region_id, t.data_month, t.population, t.base_kind, p.split, 'lowest') AS scope_key, t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, t.data_month, t.population, t.base_kind, p.split, '不低于两部分中较低者') AS subject_zh,
  concat_ws(' ', t.region_name, t.data_month, t.population, t.base_kind, p.split, 'at least the lower part') AS subject_en, p.lowest AS lhs, t.index_value AS rhs, p.addends,
  CASE WHEN p.addends < 2 OR t.index_value IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM cpi_monthly AS t JOIN part AS p ON p.region_id = t.region_id AND p.data_month = t.data_month AND p.population = t.population
  AND p.basket = t.basket AND p.base_kind = t.base_kind
WHERE t.item_code = 'total'
UNION ALL
SELECT concat_ws('/', t.region_id, t.data_month, t.population, t.base_kind, p.split, 'highest') AS scope_key, t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, t.data_month, t.population, t.base_kind, p.split, '不高于两部分中较高者') AS subject_zh,
  concat_ws(' ', t.region_name, t.data_month, t.population, t.base_kind, p.split, 'at most the higher part') AS subject_en, t.index_value AS lhs, p.highest AS rhs, p.addends,
  CASE WHEN p.addends < 2 OR t.index_value IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM cpi_monthly AS t JOIN part AS p ON p.region_id = t.region_id AND p.data_month = t.data_month AND p.population = t.population
  AND p.basket = t.basket AND p.base_kind = t.base_kind
WHERE t.item_code = 'total'
