//! The shell of `gongkai sql`: statements end with `;`, commands begin with `.`.

use std::io::{BufRead, IsTerminal};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::Outcome;
use super::sql::{Session, to_table};

const HELP: &str = "\
.tables          tables that can be queried
.schema TABLE    columns of a table
.help            this text
.quit            end (also Ctrl-D)
Statements end with a semicolon.";

/// Reads statements until the input ends. Errors in one do not end the shell.
pub async fn run(session: &Session) -> anyhow::Result<Outcome> {
    if !std::io::stdin().is_terminal() {
        return run_script(session).await;
    }
    println!("公开 Gongkai SQL. Type .help for help.");
    let mut editor = DefaultEditor::new()?;
    let mut statement = String::new();
    loop {
        let prompt = if statement.is_empty() { "gongkai> " } else { "    ...> " };
        match tokio::task::block_in_place(|| editor.readline(prompt)) {
            Ok(line) => {
                let _ = editor.add_history_entry(&line);
                if !take(session, &mut statement, &line).await? {
                    return Ok(Outcome::Done);
                }
            }
            Err(ReadlineError::Interrupted) => statement.clear(),
            Err(ReadlineError::Eof) => return Ok(Outcome::Done),
            Err(error) => return Err(error.into()),
        }
    }
}

async fn run_script(session: &Session) -> anyhow::Result<Outcome> {
    let mut statement = String::new();
    for line in std::io::stdin().lock().lines() {
        if !take(session, &mut statement, &line?).await? {
            return Ok(Outcome::Done);
        }
    }
    if !statement.trim().is_empty() {
        answer(session, &statement).await?;
    }
    Ok(Outcome::Done)
}

/// Takes one line; false ends the shell.
async fn take(session: &Session, statement: &mut String, line: &str) -> anyhow::Result<bool> {
    let trimmed = line.trim();
    if statement.is_empty() && trimmed.starts_with('.') {
        match trimmed.split_whitespace().collect::<Vec<_>>().as_slice() {
            [".quit" | ".exit"] => return Ok(false),
            [".tables"] => {
                answer(session, "SELECT schema_name, table_name, label_zh FROM catalog.table ORDER BY 1, 2").await?
            }
            [".schema", table] => {
                let name = table.replace('\'', "''");
                let sql = format!(
                    "SELECT column_name, type_name, unit, label_zh FROM catalog.column WHERE table_name = '{name}' ORDER BY position"
                );
                answer(session, &sql).await?;
            }
            _ => println!("{HELP}"),
        }
        return Ok(true);
    }
    statement.push_str(line);
    statement.push('\n');
    if trimmed.ends_with(';') {
        answer(session, &std::mem::take(statement)).await?;
    }
    Ok(true)
}

async fn answer(session: &Session, sql: &str) -> anyhow::Result<()> {
    match session.query_with_warnings(sql).await {
        Ok((schema, batches, warnings)) => {
            print!("{}", to_table(&schema, &batches)?);
            warnings.iter().for_each(|warning| println!("warning: {}", warning.en));
        }
        Err(error) => println!("{}: {error}", error.code()),
    }
    Ok(())
}
