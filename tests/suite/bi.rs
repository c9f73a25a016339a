//! What BI tools, editors and drivers ask over the protocol of PostgreSQL before they show anything, and whether they can go on
//! with the answers.
//!
//! The statements are in `tests/clients/startup`, one file a tool, with what an answer must contain; a Python script sends them.

use gongkai_tests::{EVERY_DOOR, Served, json_lines, python, root, samples, script};

#[test]
fn tools_get_what_they_ask_for_at_their_start() {
    let Some(python) = python("bi", "psycopg") else { return };
    let (_folder, data) = samples();
    let served = Served::start(&data, &[EVERY_DOOR[0], ("GONGKAI_QUERIES_PER_MINUTE", "0")]);
    let (host, port) = served.pg_address().rsplit_once(':').expect("the door for PostgreSQL");
    let answers = json_lines(script(&python, "startup.py").args([host, port]));
    let mut tools = 0;
    for tool in std::fs::read_dir(root().join("tests/clients/startup")).expect("folder").flatten() {
        let name = tool.path().file_stem().expect("a name").to_string_lossy().into_owned();
        let asked = |protocol: &str| {
            answers.iter().filter(|answer| answer["tool"] == name.as_str() && answer["protocol"] == protocol).count()
        };
        assert!(asked("simple") > 0 && asked("extended") > 0, "{name} was not asked in both protocols");
        tools += 1;
    }
    assert!(tools >= 12, "{tools} tools are asked as");
    let wrong: Vec<String> = answers
        .iter()
        .filter(|answer| !answer["problem"].is_null())
        .map(|answer| {
            let (tool, number, protocol) = (&answer["tool"], &answer["number"], &answer["protocol"]);
            format!("{tool} {number} {protocol}: {}\n    {}", answer["problem"], answer["sql"])
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} answers are wrong:\n{}", wrong.len(), answers.len(), wrong.join("\n"));
}
