-- label = { zh = "居民消费价格定基链（推算）", en = "Chained consumer price index (derived)" }
-- description = { zh = "由环比指数连乘得出：F(t) = F(t−1) × 环比/100，链的起始月前一月为 100；中间缺月则另起一链。同比由十二个月环比连乘得出。公布的环比只有一位小数，连乘的误差随月数增加；跨 2016、2021、2026 年基期轮换时篮子不同。", en = "From the monthly indices: F(t) = F(t−1) × mom/100, the month before the first one being 100; a month that is absent begins a new chain. The index to the same month a year before is the product of twelve monthly ones. Monthly indices are printed with one decimal, so that the error grows with the months; across the rotations of 2016, 2021 and 2026 the basket changes." }
-- grain = { zh = "一个地区一个月一个项目一种人群", en = "one region, month, item and population" }
-- key = ["region_id", "data_month", "item_code", "population"]
-- columns = ["region_id", "region_code", "region_name", "data_month", "item_code", "population", "chain_index", "chain_months", "yoy_chained", "method"]
WITH line AS (
  SELECT region_id, population, item_code, data_month, min(region_code) AS region_code, min(region_name) AS region_name, min(index_value) AS m,
    CAST(substr(data_month, 1, 4) AS BIGINT) * 12 + CAST(substr(data_month, 6, 2) AS BIGINT) AS n
  FROM cpi_monthly WHERE base_kind = 'mom' AND index_value IS NOT NULL GROUP BY region_id, population, item_code, data_month
), numbered AS (
  SELECT *, n - row_number() OVER (PARTITION BY region_id, population, item_code ORDER BY n) AS chain FROM line
)
SELECT region_id, region_code, region_name, data_month, item_code, population,
  round(100 * exp(sum(ln(CAST(m AS DOUBLE) / 100)) OVER whole), 4) AS chain_index, count(*) OVER whole AS chain_months,
  CASE WHEN count(*) OVER twelve = 12 THEN round(100 * exp(sum(ln(CAST(m AS DOUBLE) / 100)) OVER twelve), 4) END AS yoy_chained, 'chain_of_months.1' AS method
FROM numbered
WINDOW whole AS (PARTITION BY region_id, population, item_code, chain ORDER BY n),
  twelve AS (PARTITION BY region_id, population, item_code, chain ORDER BY n ROWS BETWEEN 11 PRECEDING AND CURRENT ROW)
