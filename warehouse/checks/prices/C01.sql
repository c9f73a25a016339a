-- id = "C01"
-- title = { zh = "同比等于十二个月环比的连乘", en = "the yearly index is the product of twelve monthly ones" }
-- tables = ["cpi_monthly"]
-- basis = { zh = "同比 = 100·Π环比/100（近十二个月）；各月环比舍入误差不超过 0.05，差异 0.3 以内为相符，0.6·同比/100 以内为舍入差；跨 2016、2021、2026 年 1 月基期轮换的不判为错误", en = "yearly = 100·Π monthly/100 over twelve months; with each month rounded by at most 0.05 they agree within 0.3, and rounding explains 0.6·yearly/100; across a rotation of the base, January of 2016, 2021 and 2026, nothing is an error" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "相差", en = "difference" }
-- rhs = { zh = "允许", en = "allowed" }
-- # 1000 is beyond any difference: what crosses a rotation is never an error.
-- parameters = { a_agree = "0.3", b_rounding = "0.6", c_months = "12", d_rotation = "1000" }
WITH line AS (
  SELECT l.*, CAST(substr(data_month, 1, 4) AS BIGINT) * 12 + CAST(substr(data_month, 6, 2) AS BIGINT) AS n
  FROM cpi_monthly AS l WHERE index_value IS NOT NULL
), chain AS (
  SELECT y.release_id, y.row_no, y.region_id, y.region_code, y.region_name, y.data_month, y.population, y.item_code, y.basket, y.index_value,
    count(m.n) AS months, 100 * exp(sum(ln(CAST(m.index_value AS DOUBLE) / 100))) AS product,
    max(CASE WHEN substr(m.data_month, 6, 2) = '01' AND substr(m.data_month, 1, 4) IN ('2016', '2021', '2026') THEN 1 ELSE 0 END) AS crosses
  FROM line AS y LEFT JOIN line AS m ON m.base_kind = 'mom' AND m.region_id = y.region_id AND m.population = y.population
    AND m.item_code = y.item_code AND m.n BETWEEN y.n - 11 AND y.n
  WHERE y.base_kind = 'yoy' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
)
SELECT concat_ws('/', region_id, data_month, population, item_code, basket) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, data_month, population, item_code, '同比与环比连乘') AS subject_zh,
  concat_ws(' ', region_name, data_month, population, item_code, 'yearly index and product of the monthly ones') AS subject_en,
  CAST(round(abs(CAST(index_value AS DOUBLE) - product), 4) AS DECIMAL(20,4)) AS lhs, $1 AS rhs, 1 AS addends,
  CASE WHEN months < $3 THEN 1 ELSE 0 END AS missing,
  CASE WHEN crosses = 1 THEN $4 ELSE $2 * index_value / 100 - $1 END AS step
FROM chain
