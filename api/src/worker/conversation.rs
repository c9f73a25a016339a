//! One question to one worker, and its answer on the way to whoever takes it.
//!
//! A listener that takes its batches slowly keeps the worker, and its place, while nobody else waits for one, and never beyond the
//! deadline. When somebody waits, the worker is told to stop, and is ended where it does not: with what it has read before, the next
//! question is answered sooner than by one that starts.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tracing::info_span;

use super::pool::{QueryAnswer, QueryPool, Question};
use super::process::Worker;
use super::protocol::{Bound, Failure, Header, QueryRequest, Request, Trailer};

/// Time in which a reader takes the next batch of its answer, or loses the rest of it to those who wait for a worker.
const READER_WAIT: Duration = Duration::from_millis(500);
/// Time between two looks at who waits, while a reader takes nothing.
const LOOK: Duration = Duration::from_millis(50);
/// Time in which a worker stops that was told to. Chosen: it had [`READER_WAIT`] to make its next message, so that nearly always it
/// waits to be read and stops within milliseconds. More lets others wait longer for one that does not stop; with less, a busy machine
/// ends workers that would have stopped.
const STOP_WAIT: Duration = Duration::from_millis(500);

/// A question as the worker takes it: the snapshot goes with it where the worker does not have it.
pub(super) fn request(worker: &mut Worker, question: Question) -> QueryRequest {
    let Question { statement, snapshot, now, max_rows, .. } = question;
    // An earlier state loses what is withdrawn later, and has more entries then.
    let snapshot_key = format!("{}@{:?}#{}", snapshot.counter, snapshot.as_of, snapshot.releases.len());
    let is_known = worker.snapshots.get(&snapshot_key).is_some();
    if !is_known {
        worker.snapshots.keep(snapshot_key.clone(), ());
    }
    QueryRequest { statement, snapshot_key, snapshot: (!is_known).then_some(snapshot), now, max_rows: max_rows as u64 }
}

/// Whoever takes an answer.
pub(super) struct Listener {
    pub batches: mpsc::Sender<Result<RecordBatch, Failure>>,
    pub receiver: mpsc::Receiver<Result<RecordBatch, Failure>>,
    pub started: oneshot::Sender<Result<QueryAnswer, Failure>>,
    /// A listener that has not taken the answer by then does not get the rest.
    pub deadline: Instant,
}

/// How handing over an answer's batches ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HandedOver {
    /// All of them.
    All,
    /// The stream of the worker broke off, or nobody takes batches any more.
    Broken,
    /// They were not taken before the deadline.
    Late,
    /// They are taken slowly, and somebody waits for the worker.
    GivesWay,
}

/// One question and its answer. Gives the worker back where it can take another.
pub(super) fn converse(pool: &QueryPool, mut worker: Worker, question: Question, listener: Listener) -> Option<Worker> {
    let Listener { batches, receiver, started, deadline } = listener;
    // The channel is empty: there is a place.
    let last_word = batches.clone().try_reserve_owned().ok();
    let fail = |failure: Failure| {
        if let Some(last_word) = last_word {
            drop(last_word.send(Err(failure)));
        }
    };
    let request = Request::Query(request(&mut worker, question));
    let header = info_span!("plan").in_scope(|| worker.send(&request).and_then(|()| worker.receive::<Header>()));
    let (columns, releases, warnings, is_repeatable) = match header {
        Ok(Header::Ready { columns, releases, warnings, is_repeatable }) => {
            (columns, releases, warnings, is_repeatable)
        }
        Ok(Header::Failed(failure)) => {
            let _ = started.send(Err(failure));
            return Some(worker);
        }
        Ok(Header::Described { .. }) | Err(_) => {
            let _ = started.send(Err(worker.bury()));
            return None;
        }
    };
    let killer = worker.killer();
    let (input, output) = worker.ends();
    let mut reader = match StreamReader::try_new(output, None) {
        Ok(reader) => reader,
        Err(_) => {
            let _ = started.send(Err(worker.bury()));
            return None;
        }
    };
    let schema = reader.schema();
    let answer = QueryAnswer {
        columns,
        releases,
        warnings,
        is_repeatable,
        schema,
        batches: receiver,
        _waits: None,
        taken: Bound { rows: 0, bytes: 0 },
    };
    if started.send(Ok(answer)).is_err() {
        worker.bury();
        return None;
    }
    let _sending = info_span!("rows").entered();
    let runtime = Handle::current();
    let mut ended = HandedOver::All;
    for batch in &mut reader {
        ended = match batch {
            Ok(batch) => hand_over(pool, &runtime, &batches, batch, deadline),
            Err(_) => HandedOver::Broken,
        };
        if ended != HandedOver::All {
            break;
        }
    }
    if ended == HandedOver::GivesWay {
        let patience = runtime.spawn(async move {
            sleep(STOP_WAIT).await;
            killer.time_out();
        });
        let is_told = Worker::send_to(input, &Request::Stop).is_ok();
        let is_read = is_told && reader.by_ref().all(|batch| batch.is_ok());
        drop(reader);
        // It may have come to its end before it was told.
        let has_stopped = is_read && worker.receive::<Trailer>().is_ok();
        patience.abort();
        let is_unharmed = runtime.block_on(patience).is_err();
        fail(Failure::new(
            "query_timeout",
            "others wait, and the answer is not taken; take it sooner, or ask for less",
        ));
        if has_stopped && is_unharmed {
            return Some(worker);
        }
        worker.bury();
        return None;
    }
    drop(reader);
    if ended == HandedOver::Late {
        killer.time_out();
    }
    if ended != HandedOver::All {
        fail(worker.bury());
        return None;
    }
    match worker.receive::<Trailer>() {
        Ok(Trailer::Done { .. }) => Some(worker),
        Ok(Trailer::Failed(failure)) => {
            fail(failure);
            Some(worker)
        }
        Ok(Trailer::Stopped) | Err(_) => {
            fail(worker.bury());
            None
        }
    }
}

/// Gives a batch to whoever takes the answer, as soon as there is a place for it.
fn hand_over(
    pool: &QueryPool,
    runtime: &Handle,
    batches: &mpsc::Sender<Result<RecordBatch, Failure>>,
    batch: RecordBatch,
    deadline: Instant,
) -> HandedOver {
    let begun = Instant::now();
    let mut given = Ok(batch);
    loop {
        given = match runtime.block_on(batches.send_timeout(given, LOOK)) {
            Ok(()) => return HandedOver::All,
            Err(SendTimeoutError::Closed(_)) => return HandedOver::Broken,
            Err(SendTimeoutError::Timeout(back)) => back,
        };
        let now = Instant::now();
        if now >= deadline {
            return HandedOver::Late;
        }
        if now - begun >= READER_WAIT && pool.is_waited_for() {
            return HandedOver::GivesWay;
        }
    }
}
