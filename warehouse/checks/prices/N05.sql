-- id = "N05"
-- title = { zh = "肋排价格高于带皮后腿", en = "ribs of pork cost more than leg with skin" }
-- tables = ["price_observation"]
-- basis = { zh = "猪肉各部位价格次序：肋排高于带皮后腿", en = "order of the cuts of pork: ribs above leg with skin" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "带皮后腿", en = "leg with skin" }
-- rhs = { zh = "肋排", en = "ribs" }
WITH pork AS (
  SELECT o.*, o.value * CAST(u.factor AS DECIMAL(12,4)) AS price,
    concat_ws('/', region_id, period_kind, CAST(period_start AS VARCHAR), price_kind, outlet_kind, coalesce(outlet_name, '')) AS place
  FROM price_observation AS o JOIN ref.unit AS u ON u.unit = o.unit WHERE o.measure = 'price' AND o.commodity_name LIKE '%猪肉%'
)
SELECT l.place AS scope_key, l.release_id, l.row_no, l.region_code, concat_ws(' ', l.region_name, l.period_name, '带皮后腿与肋排') AS subject_zh,
  concat_ws(' ', l.region_name, l.period_name, 'leg with skin and ribs') AS subject_en, l.price AS lhs, r.price AS rhs, 1 AS addends,
  CASE WHEN l.price IS NULL OR r.price IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM pork AS l JOIN pork AS r ON r.place = l.place
WHERE l.spec_name LIKE '%后腿%' AND r.spec_name LIKE '%肋排%'
