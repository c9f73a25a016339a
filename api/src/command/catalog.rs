//! `gongkai catalog`: the tiered disclosure catalogues in the terminal.

use clap::{Args, Subcommand};

use super::{Outcome, ReportFormat, UsageError, open};
use crate::config::Config;
use crate::http::{App, disclosure};

/// Arguments.
#[derive(Debug, Args)]
pub struct CatalogArgs {
    #[command(subcommand)]
    what: What,
    /// What to print
    #[arg(long, value_enum, default_value = "text", global = true)]
    format: ReportFormat,
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
    /// Items that two regions do not have alike
    Diff {
        /// Code of the first region
        region: String,
        /// Code of the second region
        with: String,
    },
}

/// Runs the command.
pub async fn run(config: Config, args: CatalogArgs) -> anyhow::Result<Outcome> {
    let app = App::new(open(config)?);
    let snapshot = app.snapshot().await.map_err(|error| anyhow::anyhow!(error.detail))?;
    let usage = |error: crate::http::ApiError| UsageError(error.detail);
    match (args.what, args.format) {
        (What::Coverage, ReportFormat::Json) => print_json(&disclosure::catalogs(&app, &snapshot))?,
        (What::Coverage, ReportFormat::Text) => {
            println!("region     tier      items  public  covered  synthetic  missing  unlinked  share");
            for catalog in disclosure::catalogs(&app, &snapshot) {
                let counts = &catalog.coverage;
                println!(
                    "{:<10} {:<9} {:>5} {:>7} {:>8} {:>10} {:>8} {:>9} {:>5}%  {}",
                    catalog.region_code,
                    catalog.tier,
                    catalog.items,
                    counts.public,
                    counts.covered,
                    counts.synthetic,
                    counts.missing,
                    counts.unlinked,
                    counts.share_pct.as_deref().unwrap_or("-"),
                    catalog.name
                );
            }
        }
        (What::Items { region }, ReportFormat::Json) => {
            print_json(&disclosure::catalog(&app, &snapshot, &region).map_err(usage)?)?;
        }
        (What::Items { region }, ReportFormat::Text) => {
            for field in disclosure::catalog(&app, &snapshot, &region).map_err(usage)?.fields {
                println!("{} {} ({})", field.number, field.label.zh, field.label.en);
                for item in field.items {
                    println!("  {} {:<10} {}：{}", item.code, item.state, item.label.zh, item.deadline_text);
                }
            }
        }
        (What::Diff { region, with }, ReportFormat::Json) => {
            print_json(&disclosure::difference(&app, &snapshot, &region, &with).map_err(usage)?)?;
        }
        (What::Diff { region, with }, ReportFormat::Text) => {
            let found = disclosure::difference(&app, &snapshot, &region, &with).map_err(usage)?;
            println!("item     {region:<11} {with:<11}");
            for item in found.differences {
                let (one, other) = (item.state.as_deref().unwrap_or("-"), item.other_state.as_deref().unwrap_or("-"));
                println!("{} {one:<11} {other:<11} {}", item.code, item.label.zh);
            }
        }
    }
    Ok(Outcome::Done)
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
