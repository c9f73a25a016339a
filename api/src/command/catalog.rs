//! `gongkai catalog`: the tiered disclosure catalogues in the terminal.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use gongkai_ingest::catalogue_sheet::{self, FieldItems};
use gongkai_ingest::{Limits, read_document};
use gongkai_warehouse::export::{self, ExportOptions};

use super::sql::write_output;
use super::{DataError, Outcome, UsageError, open};
use crate::config::Config;
use crate::http::disclosure::Compared;
use crate::http::obligation::{DeadlineQuery, ObligationQuery};
use crate::http::{ApiError, App, disclosure, obligation, sql};
use crate::text::{Aligned, wrapped};

/// Arguments.
#[derive(Debug, Args)]
pub struct CatalogArgs {
    #[command(subcommand)]
    what: What,
    /// What to print
    #[arg(long, value_enum, default_value = "text", global = true)]
    format: CatalogFormat,
    /// Write to a file instead of standard output
    #[arg(long, global = true, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What to print for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CatalogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// A table with a header.
    Csv,
    /// A workbook.
    Xlsx,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How many items of each region are there
    Coverage,
    /// The items of a region and how each stands
    Items {
        /// Code of the region, such as 510400
        region: String,
    },
    /// What is due, late and missing
    Due {
        /// Code of a region
        #[arg(long)]
        region: Option<String>,
        /// upcoming, done, late, missing, empty, waived, undated, unlinked or uncounted
        #[arg(long)]
        state: Option<String>,
        /// Number of a field, such as 04
        #[arg(long)]
        field: Option<String>,
        /// First due day
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<NaiveDate>,
        /// Last due day
        #[arg(long, value_name = "YYYY-MM-DD")]
        to: Option<NaiveDate>,
        /// Most lines to print as text or JSON
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Items that two regions do not have alike, or one region on two days
    Diff {
        /// Code of the first region
        region: String,
        /// Code of the second region; the first where it is absent
        with: Option<String>,
        /// Day of the first catalogue; today where it is absent
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Option<NaiveDate>,
        /// Day of the second
        #[arg(long, value_name = "YYYY-MM-DD")]
        with_on: Option<NaiveDate>,
    },
    /// A catalogue's workbook (基层政务公开标准目录) as declarations of items, for review
    Import {
        /// The workbook, or the table as CSV
        file: PathBuf,
        /// Number of the field, such as 14; sheets after the first count on from it
        #[arg(long)]
        field: u32,
    },
    /// How a deadline's text is read, and the due date that follows from a day
    Deadline {
        /// The text, such as 批准后20日内
        text: String,
        /// Day that the time begins with
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<NaiveDate>,
    },
}

/// Runs the command.
pub async fn run(config: Config, args: CatalogArgs) -> anyhow::Result<Outcome> {
    let app = App::new(open(config)?);
    let output = match args.format {
        CatalogFormat::Text => match args.what {
            What::Import { file, field } => import(&file, field)?.into_bytes(),
            what => text(&app, what).await?.into_bytes(),
        },
        CatalogFormat::Json => json(&app, args.what).await?,
        CatalogFormat::Csv => table(&app, &args.what, "csv").await?,
        CatalogFormat::Xlsx => table(&app, &args.what, "xlsx").await?,
    };
    write_output(args.output.as_deref(), args.format == CatalogFormat::Xlsx, &output)?;
    Ok(Outcome::Done)
}

/// The catalogue sheets of a file. It is the user's own, read in the user's own process.
fn sheets(file: &std::path::Path) -> anyhow::Result<Vec<FieldItems>> {
    let bytes = std::fs::read(file).map_err(|error| UsageError(format!("{}: {error}", file.display())))?;
    let wrong = |error: String| DataError(format!("{}: {error}", file.display()));
    let document = read_document(&bytes, &Limits::default()).map_err(|error| wrong(error.to_string()))?;
    Ok(catalogue_sheet::read(&document).map_err(|error| wrong(error.to_string()))?)
}

/// The declarations of every sheet, one after the other.
fn import(file: &std::path::Path, field: u32) -> anyhow::Result<String> {
    let fields = sheets(file)?;
    let declared = fields.iter().zip(field..).map(|(sheet, number)| {
        let label = sheet.sheet.trim_start_matches(|character: char| character.is_ascii_digit());
        sheet.to_toml(&format!("{number:02}"), if label.is_empty() { "领域" } else { label })
    });
    Ok(declared.collect::<Vec<_>>().join("\n"))
}

fn usage(error: ApiError) -> anyhow::Error {
    UsageError(error.detail).into()
}

async fn snapshot(app: &App) -> anyhow::Result<std::sync::Arc<gongkai_warehouse::Snapshot>> {
    app.snapshot().await.map_err(|error| anyhow::anyhow!(error.detail))
}

/// What `diff` compares.
fn compared(what: &What) -> Compared<'_> {
    match what {
        What::Diff { region, with, on, with_on } => {
            Compared { code: region, with: with.as_deref().unwrap_or(region), on: *on, with_on: *with_on }
        }
        _ => Compared { code: "", with: "", on: None, with_on: None },
    }
}

/// The question of `due`, with its limit as the page.
fn due_query(what: &What) -> Option<ObligationQuery> {
    let What::Due { region, state, field, from, to, limit } = what else { return None };
    Some(ObligationQuery {
        region: region.clone(),
        state: state.clone(),
        field: field.clone(),
        due_from: *from,
        due_to: *to,
        page_size: Some(*limit),
        ..ObligationQuery::default()
    })
}

async fn json(app: &App, what: What) -> anyhow::Result<Vec<u8>> {
    let snapshot = snapshot(app).await?;
    let mut bytes = match &what {
        What::Coverage => serde_json::to_vec_pretty(&disclosure::catalogs(app, &snapshot))?,
        What::Items { region } => {
            serde_json::to_vec_pretty(&disclosure::catalog(app, &snapshot, region).map_err(usage)?)?
        }
        What::Diff { .. } => {
            serde_json::to_vec_pretty(&disclosure::difference(app, &snapshot, compared(&what)).map_err(usage)?)?
        }
        What::Due { .. } => {
            let query = due_query(&what).unwrap_or_default();
            serde_json::to_vec_pretty(&obligation::find(app, &query).await.map_err(usage)?)?
        }
        What::Import { file, .. } => serde_json::to_vec_pretty(&sheets(file)?)?,
        What::Deadline { text, from } => {
            let query = DeadlineQuery { text: Some(text.clone()), rule: None, from: *from };
            serde_json::to_vec_pretty(&obligation::reckon(app, &query).map_err(usage)?)?
        }
    };
    bytes.push(b'\n');
    Ok(bytes)
}

/// The same as rows of a table, by the statement that answers it.
async fn table(app: &App, what: &What, format: &str) -> anyhow::Result<Vec<u8>> {
    let follows = |code: &str| {
        let known = app.catalog().disclosure.region(code);
        known
            .map(|region| region.region_code.clone())
            .ok_or_else(|| UsageError(format!("no catalogue of a region {code:?}")))
    };
    if let (What::Items { region }, "xlsx") = (what, format) {
        let snapshot = snapshot(app).await?;
        return disclosure::workbook(app, &snapshot, region).map_err(usage);
    }
    let statement = match what {
        What::Coverage => COVERAGE.to_owned(),
        What::Items { region } => {
            format!(
                "SELECT i.*, c.state FROM catalog.item AS i LEFT JOIN catalog.item_coverage AS c ON c.item_code = i.item_code WHERE i.region_code = '{}' ORDER BY i.item_code, i.version_no",
                follows(region)?
            )
        }
        What::Diff { region, with, on: None, with_on: None } => {
            let with = with.as_ref().unwrap_or(region);
            DIFF.replace("{one}", &follows(region)?).replace("{other}", &follows(with)?)
        }
        What::Diff { .. } => return Err(UsageError("two days are compared as text or json".into()).into()),
        What::Due { .. } => due_query(what).unwrap_or_default().sql().map_err(usage)?,
        What::Deadline { .. } | What::Import { .. } => {
            return Err(UsageError("`deadline` and `import` print text or json".into()).into());
        }
    };
    let answered = sql::run(app, &statement, None, None).await.map_err(usage)?;
    if answered.collected.truncated {
        anyhow::bail!("more rows than one answer may have; ask for a region or a span of days");
    }
    let format = export::format(format).ok_or_else(|| UsageError(format!("no format {format}")))?;
    Ok(export::to_bytes(format, &answered.schema, &answered.collected.batches, ExportOptions::default())?)
}

const COVERAGE: &str = "SELECT i.region_code, i.region_name, i.tier, count(*) AS items, count(*) FILTER (WHERE c.state <> 'not_public') AS public, \
     count(*) FILTER (WHERE c.state = 'covered') AS covered, count(*) FILTER (WHERE c.state = 'synthetic') AS synthetic, \
     count(*) FILTER (WHERE c.state = 'missing') AS missing, count(*) FILTER (WHERE c.state = 'unlinked') AS unlinked \
     FROM catalog.item AS i JOIN catalog.item_coverage AS c ON c.item_code = i.item_code CROSS JOIN catalog.clock AS n \
     WHERE i.valid_from <= n.today AND (i.valid_to IS NULL OR n.today < i.valid_to) \
     GROUP BY i.region_code, i.region_name, i.tier ORDER BY i.region_code";

const DIFF: &str = "WITH own AS (SELECT i.*, c.state FROM catalog.item AS i JOIN catalog.item_coverage AS c ON c.item_code = i.item_code CROSS JOIN catalog.clock AS n \
     WHERE i.valid_from <= n.today AND (i.valid_to IS NULL OR n.today < i.valid_to)), \
     one AS (SELECT * FROM own WHERE region_code = '{one}'), other AS (SELECT * FROM own WHERE region_code = '{other}') \
     SELECT coalesce(one.short_code, other.short_code) AS short_code, coalesce(one.level2_zh, other.level2_zh) AS item, \
     one.state AS state, other.state AS other_state, one.deadline_text, other.deadline_text AS other_deadline_text, \
     one.channels, other.channels AS other_channels, coalesce(one.local_reason, other.local_reason) AS local_reason \
     FROM one FULL JOIN other ON one.short_code = other.short_code \
     WHERE one.state IS DISTINCT FROM other.state OR one.deadline_text IS DISTINCT FROM other.deadline_text \
     OR one.channels IS DISTINCT FROM other.channels ORDER BY 1";

async fn text(app: &App, what: What) -> anyhow::Result<String> {
    let snapshot = snapshot(app).await?;
    let mut lines = Vec::new();
    match &what {
        What::Coverage => {
            let mut table =
                Aligned::new(&["region", "items", "public", "there", "synthetic", "missing", "unlinked", "share"]);
            for catalog in disclosure::catalogs(app, &snapshot) {
                let counts = &catalog.coverage;
                let numbers = [counts.public, counts.covered, counts.synthetic, counts.missing, counts.unlinked];
                let mut row = vec![format!("{} {}", catalog.region_code, catalog.name), catalog.items.to_string()];
                row.extend(numbers.iter().map(u64::to_string));
                row.push(counts.share_pct.as_ref().map_or_else(|| "-".to_owned(), |share| format!("{share}%")));
                table.row(&row);
            }
            lines.push(table.to_string().trim_end().to_owned());
        }
        What::Items { region } => {
            for field in disclosure::catalog(app, &snapshot, region).map_err(usage)?.fields {
                lines.push(format!("{} {} ({})", field.number, field.label.zh, field.label.en));
                for item in field.items {
                    let said = format!("{} {:<10} {}：{}", item.code, item.state, item.label.zh, item.deadline_text);
                    lines.push(wrapped(&said, "  ", "    ").trim_end().to_owned());
                }
            }
        }
        What::Due { .. } => {
            let found = obligation::find(app, &due_query(&what).unwrap_or_default()).await.map_err(usage)?;
            let counts: Vec<String> =
                found.counts.iter().map(|count| format!("{} {}", count.n, count.obligation_state)).collect();
            let counted = format!("{} obligations: {}", found.total, counts.join(", "));
            lines.push(wrapped(&counted, "", "  ").trim_end().to_owned());
            for one in &found.obligations {
                let due = one.due_at.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%d %H:%M").to_string());
                let late = one.late_workdays.filter(|days| *days > 0);
                let late = late.map_or_else(String::new, |days| format!(" +{days} workdays"));
                let about = [one.period.as_str(), one.obligation_subject.as_str()];
                let about = about.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
                lines.push(format!("{due}  {:<9} {}{late}", one.obligation_state, one.region_name));
                let what = format!("{} {} {about}", one.item_code, one.disclosure_item_name);
                lines.push(wrapped(&what, "    ", "    ").trim_end().to_owned());
            }
            let shown = found.obligations.len() as u64;
            if shown < found.total {
                lines.push(format!("{} more; --limit shows more of them, --format csv all", found.total - shown));
            }
        }
        What::Diff { .. } => {
            let found = disclosure::difference(app, &snapshot, compared(&what)).map_err(usage)?;
            lines.push(format!("         {:<11} {:<11}", found.region_code, found.with));
            lines.push(format!("item     {:<11} {:<11} why", found.on.to_string(), found.with_on.to_string()));
            for item in found.differences {
                let (one, other) = (item.state.as_deref().unwrap_or("-"), item.other_state.as_deref().unwrap_or("-"));
                let reason = item.reason.map_or_else(String::new, |reason| format!("（{}）", reason.zh));
                lines.push(format!("{} {one:<11} {other:<11} {:<9} {}{reason}", item.code, item.why, item.label.zh));
            }
        }
        What::Import { .. } => {}
        What::Deadline { text, from } => {
            let query = DeadlineQuery { text: Some(text.clone()), rule: None, from: *from };
            let answer = obligation::reckon(app, &query).map_err(usage)?;
            let rule = answer.rule.as_ref().map(serde_json::to_string).transpose()?;
            lines.push(format!("rule    {}", rule.as_deref().unwrap_or("none: the text says nothing to reckon with")));
            if answer.needs_review {
                lines.push("review  a person has to look at this text".to_owned());
            }
            for step in &answer.steps {
                lines.push(format!("        {} {:<8} {}", step.date, step.kind, step.counted));
            }
            lines.extend(answer.soft_due_at.map(|at| format!("soft    {at}")));
            lines.extend(answer.due_at.map(|at| format!("due     {at}")));
            lines.extend(answer.problem.map(|problem| format!("no date {problem}")));
        }
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}
