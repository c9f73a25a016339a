-- Grafana 11, PostgreSQL data source: test of the connection, version, extension, schemas, tables and columns of the query
-- builder, a panel with a macro expanded, a variable.
-- Needed: a version number, tables outside the search path with their schema, columns with types.
SELECT 1
;
-- row: 1600
SELECT current_setting('server_version_num')::int/100 as version
;
-- none
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'
;
-- row: open
-- row: catalog
-- row: ref
SELECT schema_name AS "name" FROM information_schema.schemata
WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast', '_timescaledb_cache', '_timescaledb_catalog', '_timescaledb_internal')
ORDER BY schema_name
;
-- row: debt_stock
SELECT quote_ident(table_name) AS "table" FROM information_schema.tables
WHERE quote_ident(table_schema) = 'open' ORDER BY 1
;
-- row: debt_stock
-- row: catalog.dataset
SELECT
    CASE WHEN
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          )
      THEN quote_ident(table_name)
      ELSE quote_ident(table_schema) || '.' || quote_ident(table_name)
    END AS "table"
    FROM information_schema.tables
    WHERE quote_ident(table_schema) NOT IN ('information_schema',
                             'pg_catalog',
                             '_timescaledb_cache',
                             '_timescaledb_catalog',
                             '_timescaledb_internal',
                             '_timescaledb_config',
                             'timescaledb_information',
                             'timescaledb_experimental')
    ORDER BY CASE WHEN
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          ) THEN 0 ELSE 1 END, 1
;
-- row: amount_yuan | numeric
SELECT quote_ident(column_name) AS "column", data_type AS "type"
    FROM information_schema.columns
    WHERE
      CASE WHEN array_length(parse_ident('debt_stock'),1) = 2
        THEN quote_ident(table_schema) = (parse_ident('debt_stock'))[1]
          AND quote_ident(table_name) = (parse_ident('debt_stock'))[2]
        ELSE quote_ident(table_name) = 'debt_stock'
          AND
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          )
      END
;
SELECT obs_time AS "time", value, geo_name AS metric FROM air_hourly
WHERE obs_time BETWEEN '2019-01-01T00:00:00Z' AND '2019-12-31T23:59:59Z' ORDER BY 1 LIMIT 10
;
SELECT floor(extract(epoch from now())/300)*300 AS "time"
;
SELECT DISTINCT region_code FROM debt_stock ORDER BY 1
;
