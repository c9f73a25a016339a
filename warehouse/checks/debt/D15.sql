-- id = "D15"
-- title = { zh = "金额与单位相称", en = "amounts fit their unit" }
-- tables = ["debt_stock"]
-- basis = { zh = "市、县的限额和余额低于本省，且不到全国限额的 1%，否则表头单位有误（万元写成亿元）；省会和计划单列市最多约占 1.7%，取 2%；省最多约占 6.5%，取 10%。全国限额：2018年 209,974.30，2019年 240,774.30（财政部公布）；以后各年为通行说法，待核实：2020年 288,074.30，2021年 332,774.30，2022年 376,474.30，2023年 421,674.30，2024年 527,874.30，2025年 579,874.30 亿元", en = "limits and balances of a city or county are below those of the province and under 1 % of the national limit, or the unit of the header is wrong (万元 printed as 亿元); capitals of provinces and cities with a plan of their own reach about 1.7 %, so 2 % holds for them, and provinces about 6.5 %, so 10 %. National limits: 209,974.30 in 2018 and 240,774.30 in 2019 (Ministry of Finance); those of later years as commonly published, to be confirmed: 288,074.30 in 2020, 332,774.30 in 2021, 376,474.30 in 2022, 421,674.30 in 2023, 527,874.30 in 2024 and 579,874.30 in 2025, in 亿元" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR"]
-- blocking = true
-- lhs = { zh = "最大的金额", en = "largest amount" }
-- rhs = { zh = "可能的最大值", en = "most that is possible" }
-- # Parameters in order: $1 limit of 2018 … $8 limit of 2025 in yuan; $9, $10, $11 the shares of capitals, other regions and provinces.
-- # Years before 2018 use that of 2018, later ones the last known: limits have only grown.
-- parameters = { national_2018 = "20997430000000", national_2019 = "24077430000000", national_2020 = "28807430000000", national_2021 = "33277430000000", national_2022 = "37647430000000", national_2023 = "42167430000000", national_2024 = "52787430000000", national_2025 = "57987430000000", share_capital = "0.02", share_other = "0.01", share_province = "0.1" }
WITH printed AS (
  SELECT region_id, scope, as_of_year, stage, quoted_in, table_code, measure, min(region_name) AS region_name, min(region_code) AS region_code,
    min(release_id) AS release_id, min(row_no) AS row_no, max(amount_yuan) AS largest
  FROM debt_stock WHERE amount_yuan IS NOT NULL AND region_code <> '000000' GROUP BY 1, 2, 3, 4, 5, 6, 7
), province AS (
  -- The province's own figure, in the same table; a form of a county prints 0 for the regions above it.
  SELECT left(region_id, 2) AS province, as_of_year, stage, quoted_in, table_code, measure, nullif(max(largest), 0) AS largest
  FROM printed WHERE region_id LIKE '__0000' AND scope = 'area' GROUP BY 1, 2, 3, 4, 5, 6
), bound AS (
  SELECT p.*, v.largest AS province_largest, p.region_id LIKE '__0000' AS is_province,
    CASE WHEN p.as_of_year <= 2018 THEN $1 WHEN p.as_of_year = 2019 THEN $2 WHEN p.as_of_year = 2020 THEN $3 WHEN p.as_of_year = 2021 THEN $4
      WHEN p.as_of_year = 2022 THEN $5 WHEN p.as_of_year = 2023 THEN $6 WHEN p.as_of_year = 2024 THEN $7 ELSE $8 END
    * CASE WHEN p.region_id LIKE '__0000' THEN $11
      -- The capital has the first code of its province; Dalian, Ningbo, Xiamen, Qingdao and Shenzhen have a plan of their own.
      WHEN p.region_id LIKE '__0100' OR p.region_id IN ('210200', '330200', '350200', '370200', '440300') THEN $9 ELSE $10 END AS most
  FROM printed AS p
  LEFT JOIN province AS v ON v.province = left(p.region_id, 2) AND v.as_of_year = p.as_of_year AND v.stage = p.stage
    AND v.quoted_in = p.quoted_in AND v.table_code = p.table_code AND v.measure = p.measure
)
SELECT concat_ws('/', region_id, scope, as_of_year, stage, quoted_in, table_code, measure) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(as_of_year, '年'), CASE measure WHEN 'limit' THEN '限额' ELSE '余额' END) AS subject_zh,
  concat_ws(' ', region_name, as_of_year, measure) AS subject_en, largest AS lhs,
  CASE WHEN is_province OR province_largest IS NULL THEN most ELSE least(most, province_largest) END AS rhs,
  1 AS addends, 0 AS missing, 0 AS step
FROM bound
