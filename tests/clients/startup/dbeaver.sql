-- DBeaver 24, PostgreSQL driver: connection, navigator (databases, schemas, tables, columns, keys, indexes, roles, comments),
-- data editor. The driver's own questions are in pgjdbc.sql.
-- Needed: the database, our schemas and tables by oid, columns with types and comments, the key as a constraint.
SET application_name = 'DBeaver 24.2.0 - Main <gongkai>'
;
select * from pg_catalog.pg_settings where name='standard_conforming_strings'
;
SELECT version()
;
-- row: open
SELECT current_schema(),session_user
;
SHOW search_path
;
SET search_path = open,catalog,ref
;
-- row: gongkai
SELECT db.oid,db.* FROM pg_catalog.pg_database db
WHERE 1 = 1 AND datallowconn AND NOT datistemplate OR db.datname ='gongkai' ORDER BY db.datname
;
SELECT * FROM pg_catalog.pg_enum WHERE 1<>1 LIMIT 1
;
SELECT reltype FROM pg_catalog.pg_class WHERE 1<>1 LIMIT 1
;
-- row: numeric
SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description
FROM pg_catalog.pg_type t
LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem
LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid=d.objoid
WHERE t.typname IS NOT NULL
AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C')
;
-- row: open
-- row: catalog
-- row: ref
SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass
 ORDER BY nspname
;
-- row: debt_stock
-- comment: debt_stock
SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr,  pg_catalog.pg_get_partkeydef(c.oid) as partition_key
FROM pg_catalog.pg_class c
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass
WHERE c.relnamespace={oid:open} AND c.relkind not in ('i','I','c')
;
-- row: debt_stock | amount_yuan | 1700
-- comment: amount_yuan
SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dsc.description,dep.objid
FROM pg_catalog.pg_attribute a
INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid)
LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum)
LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid)
LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid
WHERE NOT a.attisdropped AND c.relkind not in ('i','I','c') AND c.oid={oid:debt_stock}
ORDER BY a.attnum
;
-- row: debt_stock_key | u | debt_stock
SELECT c.oid,c.*,t.relname as tabrelname,rt.relnamespace as refnamespace,d.description, case when c.contype='c' then "substring"(pg_get_constraintdef(c.oid), 7) else null end consrc_copy
FROM pg_catalog.pg_constraint c
INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid
LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass
WHERE c.conrelid={oid:debt_stock}
ORDER BY c.oid
;
-- row: debt_stock_key | debt_stock
SELECT i.*,i.indkey as keys,c.relname,c.relnamespace,c.relam,c.reltablespace,tc.relname as tabrelname,dsc.description,pg_catalog.pg_get_expr(i.indpred, i.indrelid) as pred_expr,pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) as expr,pg_catalog.pg_relation_size(i.indexrelid) as index_rel_size,pg_catalog.pg_stat_get_numscans(i.indexrelid) as index_num_scans
FROM pg_catalog.pg_index i
INNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid
INNER JOIN pg_catalog.pg_class tc ON tc.oid=i.indrelid
LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid=dsc.objoid
WHERE i.indrelid={oid:debt_stock}
ORDER BY tabrelname, c.relname
;
select c.oid,pg_catalog.pg_total_relation_size(c.oid) as total_rel_size,pg_catalog.pg_relation_size(c.oid) as rel_size
FROM pg_class c
WHERE c.relnamespace={oid:open}
;
SELECT a.oid,a.*,pd.description FROM pg_catalog.pg_roles a
left join pg_catalog.pg_shdescription pd on a.oid = pd.objoid
ORDER BY a.rolname
;
SELECT t.oid,t.*,pg_tablespace_location(t.oid) loc FROM pg_catalog.pg_tablespace t ORDER BY t.oid
;
SELECT p.oid as poid, p.*, pg_catalog.pg_get_expr(p.proargdefaults, 0) as arg_defaults, d.description
FROM pg_catalog.pg_proc p
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=p.oid AND d.objsubid = 0
WHERE p.pronamespace={oid:open}
ORDER BY p.proname
;
-- none
SELECT x.oid,x.*,p.relname as tabrelname FROM pg_catalog.pg_trigger x, pg_catalog.pg_class p
WHERE x.tgrelid = p.oid AND p.oid={oid:debt_stock} AND NOT x.tgisinternal
;
-- none
SELECT i.*,c.relnamespace FROM pg_catalog.pg_inherits i,pg_catalog.pg_class c
WHERE i.inhrelid={oid:debt_stock} AND c.oid=i.inhparent ORDER BY i.inhseqno
;
SELECT r.oid, r.rulename, r.ev_class FROM pg_catalog.pg_rewrite r WHERE r.ev_class={oid:debt_stock}
;
SELECT * FROM pg_catalog.pg_extension
;
SELECT l.oid,l.* FROM pg_catalog.pg_language l ORDER BY l.oid
;
SELECT n.nspname as schema_name, c.relname, c.relkind, c.oid FROM pg_catalog.pg_class c
INNER JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind in ('r','v','m','f','p') AND c.relname ILIKE 'debt%' ORDER BY c.relname LIMIT 100
;
-- row: 510400
SELECT * FROM "open".debt_stock LIMIT 200
;
-- row: 510400
SELECT x.* FROM "open".debt_stock x WHERE region_code = '510400' LIMIT 200
;
SELECT count(*) FROM "open".debt_stock
;
