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
  sum(rows_of_key) AS lhs, count(*) AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM (SELECT release_id, {key}, count(*) AS rows_of_key FROM {table} GROUP BY release_id, {key}) AS keyed
GROUP BY release_id
