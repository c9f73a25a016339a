-- label = { zh = "政府债券（每只一行）", en = "Government bonds, one row each" }
-- description = { zh = "决算表4-2 的债券：表中每个项目重复整只债券的规模，这里每只债券只留一行，规模可以相加。债券由同一地区、印发年份、债务类别、债券组确定，组内规模不一时不列。", en = "Bonds of form 4-2: the form repeats the size of the whole bond with each of its projects; here each bond is one row, so that sizes add up. A bond is told by region, year of printing, kind of debt and group; a group whose sizes differ is left out." }
-- grain = { zh = "一只债券", en = "one bond" }
-- key = ["region_id", "quoted_in", "debt_kind", "bond_group"]
-- columns = ["region_id", "region_code", "region_name", "quoted_in", "debt_kind", "bond_group", "bond_size_yuan"]
SELECT region_id, min(region_code) AS region_code, min(region_name) AS region_name, quoted_in, debt_kind, bond_group, min(bond_size_yuan) AS bond_size_yuan
FROM debt_bond_project WHERE bond_group IS NOT NULL AND bond_size_yuan IS NOT NULL
GROUP BY region_id, quoted_in, debt_kind, bond_group HAVING min(bond_size_yuan) = max(bond_size_yuan)
