-- JetBrains DataGrip 2024 (and IntelliJ), PostgreSQL introspection: server, databases, schemas, then objects of a schema level
-- by level. The driver's own questions are in pgjdbc.sql.
-- Needed: oids of database and schemas, tables and views of a schema, columns with types, the key, comments.
select version()
;
select current_database(), current_schema(), current_user
;
select case when pg_catalog.pg_is_in_recovery() then null else 1 end
;
-- row: gongkai
select N.oid::bigint as id, datname as name, D.description, datistemplate as is_template, datallowconn as allow_connections,
 pg_catalog.pg_get_userbyid(N.datdba) as "owner"
from pg_catalog.pg_database N
 left join pg_catalog.pg_shdescription D on N.oid = D.objoid
order by case when datname = pg_catalog.current_database() then -1::bigint else N.oid::bigint end
;
-- row: open
-- row: catalog
-- row: ref
select N.oid::bigint as id, N.xmin as state_number, nspname as name, D.description, pg_catalog.pg_get_userbyid(N.nspowner) as "owner"
from pg_catalog.pg_namespace N
 left join pg_catalog.pg_description D on N.oid = D.objoid
order by case when nspname = pg_catalog.current_schema() then -1::bigint else N.oid::bigint end
;
select name, setting from pg_catalog.pg_settings where name in ('server_version', 'lc_collate')
;
select R.oid::bigint as role_id, rolname as role_name, rolsuper as is_super, rolinherit as is_inherit, rolcreaterole as can_createrole,
 rolcreatedb as can_createdb, rolcanlogin as can_login, rolreplication as is_replication, rolconnlimit as conn_limit,
 rolvaliduntil as valid_until, rolbypassrls as bypass_rls, rolconfig as config, D.description
from pg_catalog.pg_roles R
 left join pg_catalog.pg_shdescription D on D.objoid = R.oid
;
select T.oid::bigint as id, T.spcname as name, T.xmin as state_number, pg_catalog.pg_get_userbyid(T.spcowner) as owner,
 pg_catalog.pg_tablespace_location(T.oid) as location, T.spcoptions as options, D.description as comment
from pg_catalog.pg_tablespace T
 left join pg_catalog.pg_shdescription D on D.objoid = T.oid
;
select L.oid::bigint as id, L.xmin as state_number, L.lanname as name, L.lanpltrusted as trusted from pg_catalog.pg_language L order by lanname
;
select E.oid::bigint as id, E.xmin as state_number, extname as name, extversion as version, extnamespace as schema_id, nspname as schema_name
from pg_catalog.pg_extension E join pg_namespace N on E.extnamespace = N.oid
;
select T.oid as object_id, T.relkind as kind, T.relname as name
from pg_catalog.pg_class T where T.relnamespace = {oid:open}::oid and T.relkind in ('r', 'm', 'v', 'f', 'p')
;
-- row: debt_stock | r
select T.relkind as table_kind, T.relname as table_name, T.oid::bigint as table_id, T.xmin as table_state_number,
 false as table_with_oids, T.reltablespace as tablespace_id, T.reloptions as options, T.relpersistence as persistence,
 (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where T.oid = inhrelid) as ancestors,
 (select pg_catalog.array_agg(inhrelid::bigint order by inhrelid)::varchar from pg_catalog.pg_inherits where T.oid = inhparent) as successors,
 T.relispartition as is_partition, pg_catalog.pg_get_partkeydef(T.oid) as partition_key,
 pg_catalog.pg_get_expr(T.relpartbound, T.oid) as partition_expression, T.relam am_id, pg_catalog.pg_get_userbyid(T.relowner) as "owner"
from pg_catalog.pg_class T
where relnamespace = {oid:open}::oid and relkind in ('r', 'm', 'v', 'f', 'p')
order by table_kind, table_id
;
-- row: amount_yuan | numeric(20,2)
with T as ( select distinct T.oid as table_id, T.relname as table_name
  from pg_catalog.pg_class T, pg_catalog.pg_attribute A
  where T.relnamespace = {oid:open}::oid and T.relkind in ('r', 'm', 'v', 'f', 'p') and A.attrelid = T.oid )
select T.table_id, C.attnum as column_position, C.attname as column_name, C.xmin as column_state_number, C.atttypmod as type_mod,
 C.attndims as dimensions_number, pg_catalog.format_type(C.atttypid, C.atttypmod) as type_spec, C.atttypid as type_id,
 C.attnotnull as mandatory, pg_catalog.pg_get_expr(D.adbin, T.table_id) as column_default_expression,
 not C.attislocal as column_is_inherited, C.attfdwoptions as options, C.attisdropped as column_is_dropped,
 C.attidentity as identity_kind, C.attgenerated as generated
from T join pg_catalog.pg_attribute C on T.table_id = C.attrelid
 left join pg_catalog.pg_attrdef D on (C.attrelid, C.attnum) = (D.adrelid, D.adnum)
where attnum > 0
order by table_id, attnum
;
-- row: debt_stock_key
select tab.oid as table_id, tab.relkind as table_kind, ind_stor.relname as index_name, ind_head.indexrelid as index_id, ind_stor.xmin as state_number,
 ind_head.indisunique as is_unique, ind_head.indisprimary as is_primary, ind_head.indnullsnotdistinct as nulls_not_distinct,
 pg_catalog.pg_get_expr(ind_head.indpred, ind_head.indrelid) as condition, ind_stor.reltablespace as tablespace_id, opcmethod as access_method_id
from pg_catalog.pg_class tab
 join pg_catalog.pg_index ind_head on ind_head.indrelid = tab.oid
 join pg_catalog.pg_class ind_stor on tab.relnamespace = ind_stor.relnamespace and ind_stor.oid = ind_head.indexrelid
 left join pg_catalog.pg_opclass on pg_opclass.oid = ANY(indclass)
where tab.relnamespace = {oid:open}::oid and tab.relkind in ('r', 'm', 'v', 'p') and ind_stor.relkind in ('i', 'I')
;
-- row: debt_stock_key | u
select T.oid table_id, relkind table_kind, C.oid::bigint con_id, C.xmin::varchar::bigint con_state_id, conname con_name, contype con_kind,
 conkey con_columns, conindid index_id, confrelid ref_table_id, condeferrable is_deferrable, condeferred is_init_deferred,
 confupdtype on_update, confdeltype on_delete, connoinherit no_inherit, pg_catalog.pg_get_expr(conbin, T.oid) con_expression,
 confkey ref_columns, conexclop::int[] excl_operators
from pg_catalog.pg_constraint C join pg_catalog.pg_class T on C.conrelid = T.oid
where relkind in ('r', 'v', 'f', 'p') and relnamespace = {oid:open}::oid and contype in ('p', 'u', 'f', 'c', 'x') and connamespace = {oid:open}::oid
order by T.oid, con_id
;
-- comment: {oid:debt_stock}
select D.objoid id, case when 'pg_catalog.pg_class'::regclass = D.classoid then 'r' else 'x' end as kind, D.objsubid sub_id, D.description
from pg_catalog.pg_description D
 join pg_catalog.pg_class C on D.objoid = C.oid
where C.relnamespace = {oid:open}::oid and C.relkind != 'c' and D.classoid = 'pg_catalog.pg_class'::regclass
;
select T.relkind as view_kind, T.oid as view_id, pg_catalog.pg_get_viewdef(T.oid, true) as source_text
from pg_catalog.pg_class T join pg_catalog.pg_namespace N on T.relnamespace = N.oid
where N.oid = {oid:catalog}::oid and T.relkind in ('m','v')
;
select T.oid as object_id, T.relacl as acl from pg_catalog.pg_class T where T.relnamespace = {oid:open}::oid and T.relacl is not null
;
select typ.oid::bigint as type_id, typ.xmin as type_state_number, typ.typname as type_name, typ.typtype as type_sub_kind, typ.typcategory as type_category,
 typ.typrelid::bigint as class_id, typ.typbasetype as base_type_id, typ.typnotnull as mandatory, typ.typdefault as default_expression,
 pg_catalog.pg_get_userbyid(typ.typowner) as "owner"
from pg_catalog.pg_type typ left join pg_catalog.pg_class cls on typ.typrelid = cls.oid
where typ.typnamespace = 11::oid and (typ.typtype in ('d','e') or cls.relkind = 'c'::"char" or (typ.typtype = 'b' and (typ.typelem = 0 or typ.typcategory <> 'A')) or typ.typtype = 'p' and not typ.typisdefined)
order by 1
;
-- row: 510400
SELECT t.* FROM "open".debt_stock t LIMIT 501
;
