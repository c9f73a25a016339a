-- label = { zh = "“三公”经费可加总项", en = "Official spending to add up" }
-- description = { zh = "“三公”经费中可以相加的四项：因公出国（境）、公务用车购置、公务用车运行维护、公务接待；合计和车辆小计不在其中，决算说明中重复的金额（DF12）也不在其中。在同一财政年度、阶段、印发年份和表之内可以相加；部门行与单位行不可相加。", en = "The four items that add up: travel abroad, purchase of vehicles, their running, receptions; without the total, the subtotal of vehicles, and the amounts that notes to the accounts repeat (DF12). They add up within one fiscal year, stage, year of printing and table; rows of a department and of its units do not." }
-- grain = { zh = "一个部门（单位）或一级政府一个财政年度一个阶段一张表一个末级项目", en = "one department, unit or government, fiscal year, stage, table and item without parts" }
-- key = ["region_id", "org_id", "unit_org_id", "fiscal_year", "stage", "quoted_in", "table_code", "item"]
-- columns = ["org_id", "org_name", "unit_org_id", "unit_name", "region_id", "region_code", "region_name", "fiscal_year", "stage", "quoted_in", "table_code", "item", "amount_yuan", "release_id", "row_no"]
SELECT org_id, org_name, unit_org_id, unit_name, region_id, region_code, region_name, fiscal_year, stage, quoted_in, table_code, item, amount_yuan, release_id, row_no
FROM three_public WHERE item IN ('abroad', 'car_purchase', 'car_run', 'reception') AND table_code <> 'DF12'
