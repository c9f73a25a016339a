-- id = "N01"
-- title = { zh = "涨跌幅由本期价与上期价得出", en = "a change in per cent follows from the two prices" }
-- tables = ["price_observation"]
-- basis = { zh = "涨跌幅 = 100·(本期价 ÷ 上期价 − 1)，按所列小数位比较；相差一个末位为舍入差", en = "change = 100·(price ÷ price before − 1), to the decimals printed; one step is a rounding difference" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "所列涨跌幅", en = "printed change" }
-- rhs = { zh = "按价格计算", en = "computed from the prices" }
WITH figure AS (
  SELECT o.*, concat_ws('/', region_id, period_kind, CAST(period_start AS VARCHAR), commodity_name, coalesce(spec_name, ''), price_kind, outlet_kind,
    coalesce(outlet_name, '')) AS good
  FROM price_observation AS o
)
SELECT concat_ws('/', c.good, c.measure) AS scope_key, c.release_id, c.row_no, c.region_code,
  concat_ws(' ', c.region_name, c.period_name, c.commodity_name, c.spec_name, c.measure) AS subject_zh,
  concat_ws(' ', c.region_name, c.period_name, c.commodity_name, c.spec_name, c.measure) AS subject_en, c.value AS lhs,
  CAST(round(100 * (CAST(p.value AS DOUBLE) / CAST(b.value AS DOUBLE) - 1), CAST(coalesce(c.published_scale, 2) AS BIGINT)) AS DECIMAL(20,4)) AS rhs, 1 AS addends,
  CASE WHEN c.value IS NULL OR p.value IS NULL OR b.value IS NULL OR b.value = 0 THEN 1 ELSE 0 END AS missing,
  CASE c.published_scale WHEN 0 THEN 1 WHEN 1 THEN 0.1 WHEN 2 THEN 0.01 ELSE 0.001 END AS step
FROM figure AS c
JOIN figure AS p ON p.good = c.good AND p.measure = 'price'
JOIN figure AS b ON b.good = c.good AND b.measure = CASE c.measure WHEN 'change_pct' THEN 'previous_price' ELSE 'price_year_earlier' END
WHERE c.measure IN ('change_pct', 'change_yoy_pct')
