//! What the process says of itself: its log, and traces for a collector of OpenTelemetry where one is named.
//!
//! A request is one span, with the wait for a worker, the planning of the statement and the sending of its rows below it.
//! Spans carry routes, doors and codes; never statements, addresses or keys.

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Why no traces can be sent.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// The address is not one of HTTP without encryption.
    #[error(
        "traces cannot be sent to {collector:?}; expected the address of a collector such as http://127.0.0.1:4317"
    )]
    Scheme {
        /// The address.
        collector: String,
    },
    /// The library does not take the address.
    #[error("traces cannot be sent to {collector:?}: {source}")]
    Exporter {
        /// The address.
        collector: String,
        /// What the library says.
        source: ExporterBuildError,
    },
}

/// The log and the traces of this process, as long as it runs.
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Begins the log, and traces where a collector is named: OTLP over gRPC without encryption. Must be called within the
    /// runtime, which the sender of traces uses.
    ///
    /// # Errors
    ///
    /// The collector's address is none. Whether somebody listens there is found out later, and is no error.
    pub fn start(log_filter: &str, collector: Option<&str>) -> Result<Self, CollectorError> {
        let traces = collector.map(provider).transpose()?;
        let filter = EnvFilter::try_from_env("GONGKAI_LOG").unwrap_or_else(|_| log_filter.into());
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        // Lines of JSON for programs, short ones for whoever sits before it.
        let log = if std::io::stderr().is_terminal() {
            log.compact().with_target(false).without_time().boxed()
        } else {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        };
        let spans = traces.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("gongkai"))
                .with_location(false)
                .with_threads(false)
                .with_filter(Targets::new().with_target("gongkai", LevelFilter::INFO))
        });
        // The log says nothing of spans: without a collector none is made.
        let filter = filter.and(filter_fn(|metadata| metadata.is_event()));
        // A second subscriber cannot be set; nothing else in the process sets one.
        let _ = tracing_subscriber::registry().with(log.with_filter(filter)).with(spans).try_init();
        Ok(Self { traces })
    }

    /// Sends what has not been sent yet, for a few seconds at most.
    pub fn end(self) {
        if let Some(Err(error)) = self.traces.map(|traces| traces.shutdown()) {
            tracing::warn!(%error, "not all traces were sent");
        }
    }
}

fn provider(collector: &str) -> Result<SdkTracerProvider, CollectorError> {
    if !collector.starts_with("http://") {
        return Err(CollectorError::Scheme { collector: collector.to_owned() });
    }
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(collector).build();
    let exporter = exporter.map_err(|source| CollectorError::Exporter { collector: collector.to_owned(), source })?;
    let resource = Resource::builder().with_service_name("gongkai").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
