//! Rows of a portal, sent as they come.

use std::fmt::Debug;

use futures::{Sink, SinkExt};
use pgwire::api::portal::PortalExecutionState;
use pgwire::api::query::send_partial_query_response;
use pgwire::api::results::Tag;
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;

/// Sends so many of the rows that are left, all of them where the number is 0 or less, and what they end with.
///
/// # Errors
///
/// What ends the rows before their end. A portal that has failed has no further rows.
pub async fn send<C>(client: &mut C, state: &mut PortalExecutionState, most: i32) -> PgWireResult<()>
where
    C: Sink<PgWireBackendMessage> + Unpin,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let is_suspended = match state {
        PortalExecutionState::Initial => return Err(PgWireError::PortalNotStarted),
        PortalExecutionState::Suspended(rows) => {
            send_partial_query_response(client, rows, usize::try_from(most).unwrap_or(0)).await
        }
        PortalExecutionState::Finished => {
            let nothing = PgWireBackendMessage::CommandComplete(Tag::new("SELECT").with_rows(0).into());
            client.send(nothing).await.map(|()| false).map_err(PgWireError::from)
        }
    };
    if !matches!(is_suspended, Ok(true)) {
        *state = PortalExecutionState::Finished;
    }
    is_suspended.map(drop)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use futures::{StreamExt, sink, stream};
    use pgwire::api::results::QueryResponse;
    use pgwire::messages::data::DataRow;

    use super::*;

    /// The names of the messages that are sent for one demand.
    async fn sent(state: &mut PortalExecutionState, most: i32) -> (Vec<&'static str>, bool) {
        let mut names = Vec::new();
        let mut client = Box::pin(sink::unfold((), |(), message: PgWireBackendMessage| {
            names.push(match message {
                PgWireBackendMessage::DataRow(_) => "row",
                PgWireBackendMessage::PortalSuspended(_) => "suspended",
                PgWireBackendMessage::CommandComplete(_) => "complete",
                _ => "other",
            });
            std::future::ready(Ok::<_, io::Error>(()))
        }));
        let is_sent = send(&mut client, state, most).await.is_ok();
        drop(client);
        (names, is_sent)
    }

    fn started(rows: usize, fails: bool) -> PortalExecutionState {
        let rows = stream::iter((0..rows).map(|_| Ok(DataRow::default())));
        let end = stream::iter(fails.then_some(Err(PgWireError::QueryCanceled)));
        PortalExecutionState::Suspended(QueryResponse::new(Arc::default(), rows.chain(end)))
    }

    #[tokio::test]
    async fn rows_come_as_many_as_are_asked_for_and_none_after_the_last() {
        let mut state = started(3, false);
        assert_eq!(sent(&mut state, 2).await, (vec!["row", "row", "suspended"], true));
        assert_eq!(sent(&mut state, 2).await, (vec!["row", "complete"], true));
        assert_eq!(sent(&mut state, 2).await, (vec!["complete"], true));
        for all in [0, -1, i32::MIN, i32::MAX] {
            assert_eq!(sent(&mut started(2, false), all).await, (vec!["row", "row", "complete"], true), "{all}");
        }
    }

    #[tokio::test]
    async fn a_portal_that_failed_has_no_further_rows() {
        let mut state = started(1, true);
        assert_eq!(sent(&mut state, 0).await, (vec!["row"], false));
        assert_eq!(sent(&mut state, 0).await, (vec!["complete"], true));
    }

    #[tokio::test]
    async fn a_portal_that_was_not_started_has_none() {
        assert_eq!(sent(&mut PortalExecutionState::Initial, 0).await, (vec![], false));
    }
}
