-- label = { zh = "断面水质类别（推算）", en = "Water class of sections (derived)" }
-- description = { zh = "由监测值按 GB 3838-2002 表 1 单因子评价得出每月类别：各项目先取当月平均（低于检出限按检出限的一半），类别为最差的一项，等于限值取较好的一类。只评价有数据的项目（item_count）；粪大肠菌群、总氮不参评。文件不说明断面是否为湖库，总磷按河流限值。", en = "Class of the month by GB 3838-2002, table 1: each item is first averaged over the month (half the detection limit where a value lies below it), the class is that of the worst item, and a value equal to a limit takes the better class. Only items with data are rated (item_count); faecal coliforms and total nitrogen are not. Files do not say which sections are lakes: total phosphorus has the limits of rivers." }
-- grain = { zh = "一个断面一个月一种数据状态", en = "one section, month and kind of data" }
-- key = ["section_id", "data_month", "data_kind"]
-- columns = ["section_id", "section_name", "basin", "province_name", "region_code", "data_month", "data_kind", "water_class", "target_class", "complies", "worst_items", "item_count", "sample_count", "standard_version", "method"]
WITH mean AS (
  SELECT section_id, data_month, data_kind, item, min(section_name) AS section_name, min(basin) AS basin, min(province_name) AS province_name, min(region_code) AS region_code,
    avg(CASE WHEN unit = 'ug_l' THEN coalesce(sample_value, detection_limit / 2) / 1000 ELSE coalesce(sample_value, detection_limit / 2) END) AS v, count(*) AS samples
  FROM water_sample WHERE sample_value IS NOT NULL OR detection_limit IS NOT NULL GROUP BY section_id, data_month, data_kind, item
), graded AS (
  SELECT m.*, s.standard_version,
    CASE s.direction
      WHEN 'at_least' THEN CASE WHEN v >= limit_1 THEN 1 WHEN v >= limit_2 THEN 2 WHEN v >= limit_3 THEN 3 WHEN v >= limit_4 THEN 4 WHEN v >= limit_5 THEN 5 ELSE 6 END
      WHEN 'between' THEN CASE WHEN v BETWEEN limit_low AND limit_1 THEN 1 ELSE 6 END
      ELSE CASE WHEN v <= limit_1 THEN 1 WHEN v <= limit_2 THEN 2 WHEN v <= limit_3 THEN 3 WHEN v <= limit_4 THEN 4 WHEN v <= limit_5 THEN 5 ELSE 6 END END AS class
  FROM mean AS m JOIN ref.standard AS s ON s.item = m.item AND s.medium = 'water' AND s.is_rated
), worst AS (
  SELECT *, max(class) OVER (PARTITION BY section_id, data_month, data_kind) AS of_section FROM graded
), rated AS (
  SELECT section_id, data_month, data_kind, min(section_name) AS section_name, min(basin) AS basin, min(province_name) AS province_name, min(region_code) AS region_code,
    max(class) AS class, string_agg(CASE WHEN class = of_section AND class > 1 THEN item END, ',' ORDER BY item) AS worst_items,
    count(*) AS items, max(samples) AS samples, min(standard_version) AS standard_version
  FROM worst GROUP BY section_id, data_month, data_kind
)
SELECT r.section_id, r.section_name, r.basin, r.province_name, r.region_code, r.data_month, r.data_kind, r.class AS water_class, t.target_class,
  r.class <= t.target_class AS complies, r.worst_items, r.items AS item_count, r.samples AS sample_count, r.standard_version, 'single_factor_of_month.1' AS method
FROM rated AS r LEFT JOIN ref.water_section AS t ON t.section_id = r.section_id AND concat(r.data_month, '-01') >= CAST(t.valid_from AS VARCHAR)
  AND (t.valid_to IS NULL OR concat(r.data_month, '-01') < CAST(t.valid_to AS VARCHAR))
