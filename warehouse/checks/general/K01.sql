-- id = "K01"
-- title = { zh = "业务键唯一", en = "business keys are unique" }
-- tables = ["*"]
-- basis = { zh = "每张表的业务键在一次发布内唯一且完整", en = "the business key of a table is unique and whole within one release" }
-- severity = "ERROR"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR"]
-- blocking = true
-- lhs = { zh = "行数", en = "rows" }
-- rhs = { zh = "不同业务键", en = "different keys" }
SELECT concat_ws(' ', '{table}', release_id) AS scope_key, release_id, CAST(NULL AS BIGINT) AS row_no,
  CAST(NULL AS VARCHAR) AS region_code, concat(release_id, ' 的业务键') AS subject_zh, concat('keys of ', release_id) AS subject_en,
  count(*) AS lhs, sum(CASE WHEN is_repeated THEN 0 ELSE 1 END) AS rhs, 1 AS addends, 0 AS missing, 0 AS step
-- Rows in the order of their keys: sorting spills where the keys of a large table do not fit into memory, grouping them would not.
FROM (
  SELECT release_id, row_number() OVER (PARTITION BY release_id ORDER BY {key}) > 1 AND {same} AS is_repeated FROM {table}
) AS keyed
GROUP BY release_id
