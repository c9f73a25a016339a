-- Tableau 2024 and other clients of psqlODBC 16: settings in one message, large objects, tables, columns, keys, the
-- preview of a table.
-- Needed: our tables and columns with types by oid; no primary key.
-- simple only
SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation
;
select oid, typbasetype from pg_type where typname = 'lo'
;
-- row: open
select current_schema()
;
-- row: open
select nspname from pg_namespace n where true and nspname like '%' order by nspname
;
-- row: debt_stock | open | r
select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n
where relkind in ('r', 'v', 'm', 'f', 'p') and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1')
 and n.oid = relnamespace order by nspname, relname
;
-- row: open | debt_stock | amount_yuan | 1700 | numeric
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid,
 pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, attidentity, c.relhassubclass
from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.relname = E'debt_stock' and n.nspname = E'open')
 inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid)
 inner join pg_catalog.pg_type t on t.oid = a.atttypid)
 left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum
order by n.nspname, c.relname, attnum
;
-- none
select ta.attname, ia.attnum, ic.relname, n.nspname, tc.relname
from pg_catalog.pg_attribute ta, pg_catalog.pg_attribute ia, pg_catalog.pg_class tc, pg_catalog.pg_index i, pg_catalog.pg_namespace n, pg_catalog.pg_class ic
where tc.relname = 'debt_stock' AND n.nspname = 'open' AND tc.oid = i.indrelid AND n.oid = tc.relnamespace AND i.indisprimary = 't'
 AND ia.attrelid = i.indexrelid AND ta.attrelid = i.indrelid AND ta.attnum = i.indkey[ia.attnum-1]
 AND (NOT ta.attisdropped) AND (NOT ia.attisdropped) AND ic.oid = i.indexrelid
order by ia.attnum
;
-- row: debt_stock_key
select c.relname, i.indkey, i.indisunique, i.indisclustered, a.amname, c.relhasrules, n.nspname, c.oid, 0, case when i.indoption is null then null else i.indoption end
from pg_catalog.pg_index i, pg_catalog.pg_class c, pg_catalog.pg_class d, pg_catalog.pg_am a, pg_catalog.pg_namespace n
where d.relname = 'debt_stock' and n.nspname = 'open' and n.oid = d.relnamespace and d.oid = i.indrelid and i.indexrelid = c.oid and c.relam = a.oid
order by i.indisprimary desc, i.indisunique, n.nspname, c.relname
;
SELECT COUNT(1) AS "one" FROM "open"."debt_stock" "debt_stock" HAVING (COUNT(1) > 0)
;
SELECT SUM("debt_stock"."amount_yuan") AS "sum:amount_yuan:ok", "debt_stock"."region_name" AS "region_name" FROM "open"."debt_stock" "debt_stock" GROUP BY 2
;
SELECT CAST("debt_stock"."region_name" AS TEXT) AS "region_name" FROM "open"."debt_stock" "debt_stock" LIMIT 100
;
