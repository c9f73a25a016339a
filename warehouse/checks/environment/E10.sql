-- id = "E10"
-- title = { zh = "印刷的水质类别与监测值相符", en = "the printed water class follows from the values" }
-- tables = ["water_sample"]
-- basis = { zh = "GB 3838-2002 表 1，单因子评价：类别为各项目中最差的一项；自动监测评价 pH、溶解氧、高锰酸盐指数、氨氮、总磷，湖库的总磷另有限值", en = "GB 3838-2002, table 1: the class is that of the worst item; automatic sections are judged by pH, dissolved oxygen, permanganate index, ammonia nitrogen and total phosphorus, which has limits of its own in lakes" }
-- severity = "ERROR"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "印刷类别（劣Ⅴ为 6）", en = "printed class (劣Ⅴ is 6)" }
-- rhs = { zh = "由监测值得出的类别", en = "class that follows from the values" }
-- # Limits of classes Ⅰ to Ⅴ, in mg/L; values in µg/L are brought to it. Files do not say which sections are lakes: either set of limits explains a class. A printed value
-- # that equals a limit may have been above it before it was rounded: both classes are explained then. A class that is worse than the
-- # values may come from an item that has none: it is not tested.
-- [parameters]
-- ammonia_1 = "0.15"
-- ammonia_2 = "0.5"
-- ammonia_3 = "1.0"
-- ammonia_4 = "1.5"
-- ammonia_5 = "2.0"
-- do_1 = "7.5"
-- do_2 = "6"
-- do_3 = "5"
-- do_4 = "3"
-- do_5 = "2"
-- permanganate_1 = "2"
-- permanganate_2 = "4"
-- permanganate_3 = "6"
-- permanganate_4 = "10"
-- permanganate_5 = "15"
-- ph_high = "9"
-- ph_low = "6"
-- tp_lake_1 = "0.01"
-- tp_lake_2 = "0.025"
-- tp_lake_3 = "0.05"
-- tp_lake_4 = "0.1"
-- tp_lake_5 = "0.2"
-- tp_river_1 = "0.02"
-- tp_river_2 = "0.1"
-- tp_river_3 = "0.2"
-- tp_river_4 = "0.3"
-- tp_river_5 = "0.4"
WITH limit_of (water, item, sense, weight, bound) AS (VALUES
    ('both', 'ammonia_nitrogen', 1, 1, $1), ('both', 'ammonia_nitrogen', 1, 1, $2),
    ('both', 'ammonia_nitrogen', 1, 1, $3), ('both', 'ammonia_nitrogen', 1, 1, $4),
    ('both', 'ammonia_nitrogen', 1, 1, $5),
    ('both', 'dissolved_oxygen', -1, 1, $6), ('both', 'dissolved_oxygen', -1, 1, $7),
    ('both', 'dissolved_oxygen', -1, 1, $8), ('both', 'dissolved_oxygen', -1, 1, $9),
    ('both', 'dissolved_oxygen', -1, 1, $10),
    ('both', 'permanganate_index', 1, 1, $11), ('both', 'permanganate_index', 1, 1, $12),
    ('both', 'permanganate_index', 1, 1, $13), ('both', 'permanganate_index', 1, 1, $14),
    ('both', 'permanganate_index', 1, 1, $15),
    ('both', 'ph', 1, 5, $16), ('both', 'ph', -1, 5, $17),
    ('lake', 'total_phosphorus', 1, 1, $18), ('lake', 'total_phosphorus', 1, 1, $19),
    ('lake', 'total_phosphorus', 1, 1, $20), ('lake', 'total_phosphorus', 1, 1, $21),
    ('lake', 'total_phosphorus', 1, 1, $22),
    ('river', 'total_phosphorus', 1, 1, $23), ('river', 'total_phosphorus', 1, 1, $24),
    ('river', 'total_phosphorus', 1, 1, $25), ('river', 'total_phosphorus', 1, 1, $26),
    ('river', 'total_phosphorus', 1, 1, $27)
),
kind (water) AS (VALUES ('river'), ('lake')),
printed AS (
  SELECT section_id, sampled_at, min(section_name) AS section_name, min(region_code) AS region_code, min(release_id) AS release_id,
    min(row_no) AS row_no, min(CASE class_printed WHEN 'Ⅰ' THEN 1 WHEN 'Ⅱ' THEN 2 WHEN 'Ⅲ' THEN 3 WHEN 'Ⅳ' THEN 4
      WHEN 'Ⅴ' THEN 5 WHEN '劣Ⅴ' THEN 6 END) AS printed
  FROM water_sample WHERE class_printed IS NOT NULL GROUP BY section_id, sampled_at
),
reading AS (
  SELECT section_id, sampled_at, item, CASE WHEN unit = 'ug_l' THEN sample_value / 1000 ELSE sample_value END AS number
  FROM water_sample WHERE sample_value IS NOT NULL
),
graded AS (
  SELECT s.section_id, s.sampled_at, k.water, s.item,
    1 + sum(CASE WHEN l.sense * s.number > l.sense * l.bound THEN l.weight ELSE 0 END) AS best,
    1 + sum(CASE WHEN l.sense * s.number >= l.sense * l.bound THEN l.weight ELSE 0 END) AS worst
  FROM reading AS s JOIN limit_of AS l ON l.item = s.item JOIN kind AS k ON l.water IN ('both', k.water)
  GROUP BY s.section_id, s.sampled_at, k.water, s.item
),
explained AS (
  SELECT section_id, sampled_at, water, count(*) AS items, max(best) AS best, max(worst) AS worst
  FROM graded GROUP BY section_id, sampled_at, water
),
judged AS (
  SELECT p.section_id, p.sampled_at, min(p.section_name) AS section_name, min(p.region_code) AS region_code,
    min(p.release_id) AS release_id, min(p.row_no) AS row_no, min(p.printed) AS printed, min(e.items) AS items,
    min(CASE WHEN e.water = 'river' THEN e.best END) AS river,
    max(CASE WHEN p.printed BETWEEN e.best AND e.worst THEN 1 ELSE 0 END) AS is_explained
  FROM printed AS p LEFT JOIN explained AS e ON e.section_id = p.section_id AND e.sampled_at = p.sampled_at
  GROUP BY p.section_id, p.sampled_at
)
SELECT concat_ws('/', section_id, CAST(sampled_at AS VARCHAR)) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', section_name, CAST(sampled_at AS VARCHAR)) AS subject_zh,
  concat_ws(' ', section_name, CAST(sampled_at AS VARCHAR)) AS subject_en, printed AS lhs,
  CASE WHEN is_explained = 1 THEN printed ELSE river END AS rhs, coalesce(items, 0) AS addends,
  CASE WHEN is_explained = 0 AND printed > coalesce(river, 0) THEN 5 - coalesce(items, 0) ELSE 0 END AS missing, 0 AS step
FROM judged
