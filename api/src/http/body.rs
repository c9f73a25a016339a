//! Bodies of requests come at a pace: `request_timeout` answers those that do not.
//!
//! Only the time in which a client is waited for is counted. It is bounded in two ways: over a while by a number of bytes, so that a
//! client that has stopped is let go soon, and over the whole body by its size.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::ApiError;

/// How slowly a body may come.
#[derive(Debug, Clone, Copy)]
struct Slowest {
    /// So long a wait brings so many bytes.
    wait: Duration,
    bytes: u64,
    /// The whole body is waited for so long for each part of its size, and for one part at least.
    time: Duration,
    part: u64,
}

/// A kilobyte a second, and ten megabytes a minute.
const SLOWEST: Slowest =
    Slowest { wait: Duration::from_secs(30), bytes: 30_000, time: Duration::from_secs(60), part: 10_000_000 };

/// A body came too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body comes too slowly: {taken} bytes in {} s", .waited.as_secs())]
struct TooSlow {
    /// Bytes that came.
    taken: u64,
    /// For how long they were waited for.
    waited: Duration,
}

/// A body under watch.
struct Paced {
    inner: Body,
    slowest: Slowest,
    taken: u64,
    waited: Duration,
    /// What was waited and taken before the wait that is bounded by a number of bytes.
    before: (Duration, u64),
    /// While the client is waited for: since when, and the end of it.
    wait: Option<(Instant, Pin<Box<Sleep>>)>,
    is_late: Arc<AtomicBool>,
}

impl Paced {
    fn new(inner: Body, slowest: Slowest, is_late: Arc<AtomicBool>) -> Self {
        Self { inner, slowest, taken: 0, waited: Duration::ZERO, before: (Duration::ZERO, 0), wait: None, is_late }
    }

    /// For how long the client is waited for from now on.
    fn patience(&self) -> Duration {
        let Slowest { wait, time, part, .. } = self.slowest;
        // A body that does not announce its size is as large as what has come of it.
        let size = self.inner.size_hint().exact().unwrap_or(0).saturating_add(self.taken);
        let parts = u32::try_from(size.div_ceil(part)).unwrap_or(u32::MAX).max(1);
        let of_all = time.saturating_mul(parts).saturating_sub(self.waited);
        let of_this = wait.saturating_sub(self.waited - self.before.0);
        of_all.min(of_this)
    }

    /// Counts what came.
    fn take(&mut self, bytes: u64) {
        self.taken += bytes;
        if self.taken - self.before.1 >= self.slowest.bytes {
            self.before = (self.waited, self.taken);
        }
    }
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            let patience = this.patience();
            let (since, end) = this.wait.get_or_insert_with(|| {
                let now = Instant::now();
                (now, Box::pin(sleep_until(now + patience)))
            });
            if end.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.is_late.store(true, Ordering::Relaxed);
            let waited = this.waited + since.elapsed();
            return Poll::Ready(Some(Err(axum::Error::new(TooSlow { taken: this.taken, waited }))));
        };
        if let Some((since, _)) = this.wait.take() {
            this.waited += since.elapsed();
        }
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            this.take(bytes.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Watches the body of a request. Whatever a handler makes of one that came too slowly, the client is told so, and its connection
/// is closed: the rest of the body is not waited for.
pub async fn keep_pace(request: Request, next: Next) -> Response {
    watch(SLOWEST, request, next).await
}

async fn watch(slowest: Slowest, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| Body::new(Paced::new(body, slowest, Arc::clone(&is_late))));
    let response = next.run(request).await;
    if !is_late.load(Ordering::Relaxed) || response.status().is_success() {
        return response;
    }
    let detail = "the body comes too slowly; at least 1 kB a second and 10 MB a minute are expected";
    let mut refused = ApiError::new("request_timeout", detail).into_response();
    refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    refused
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use futures::stream;
    use http_body_util::BodyExt;
    use tokio::time::sleep;
    use tower::ServiceExt;

    use super::*;

    /// A hundred milliseconds bring ten bytes, and a hundred bytes take a second at most.
    const SHORT: Slowest =
        Slowest { wait: Duration::from_millis(100), bytes: 10, time: Duration::from_secs(1), part: 100 };

    /// So many parts of so many bytes, each after a rest.
    fn body(parts: usize, bytes: usize, rest: Duration) -> Body {
        Body::from_stream(stream::unfold(0, move |sent| async move {
            if sent == parts {
                return None;
            }
            sleep(rest).await;
            Some((Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; bytes])), sent + 1))
        }))
    }

    /// Bytes that came, and whether all did.
    async fn read(body: Body, slowest: Slowest) -> (usize, bool) {
        let is_late = Arc::new(AtomicBool::new(false));
        let mut paced = Body::new(Paced::new(body, slowest, Arc::clone(&is_late)));
        let mut bytes = 0;
        while let Some(frame) = paced.frame().await {
            match frame {
                Ok(frame) => bytes += frame.data_ref().map_or(0, Bytes::len),
                Err(error) => {
                    assert!(error.to_string().contains("too slowly"), "{error}");
                    assert!(is_late.load(Ordering::Relaxed));
                    return (bytes, false);
                }
            }
        }
        assert!(!is_late.load(Ordering::Relaxed));
        (bytes, true)
    }

    #[tokio::test]
    async fn a_body_that_comes_is_read_whole() {
        assert_eq!(read(body(20, 1_000, Duration::ZERO), SHORT).await, (20_000, true));
        assert_eq!(read(Body::from("all at once"), SHORT).await, (11, true));
        assert_eq!(read(Body::empty(), SHORT).await, (0, true));
    }

    #[tokio::test]
    async fn a_body_that_stops_is_let_go() {
        let stops = body(5, 2, Duration::ZERO).into_data_stream();
        let stops = Body::from_stream(futures::StreamExt::chain(stops, stream::pending()));
        assert_eq!(read(stops, SHORT).await, (10, false));
    }

    #[tokio::test]
    async fn a_byte_now_and_then_is_too_slow() {
        // Thirty milliseconds a byte: three or four of them in a hundred, where ten are expected.
        let (bytes, is_whole) = read(body(1_000, 1, Duration::from_millis(30)), SHORT).await;
        assert!(!is_whole && bytes < 10, "{bytes} bytes");
    }

    #[tokio::test]
    async fn the_whole_body_has_its_time_by_its_size() {
        // Fast enough at every moment: 1 s for each 1,000 bytes, and a byte takes 5 ms at least.
        let slowest = Slowest { wait: Duration::from_secs(60), bytes: 1, time: Duration::from_secs(1), part: 1_000 };
        let (bytes, is_whole) = read(body(10_000, 1, Duration::from_millis(5)), slowest).await;
        assert!(!is_whole && bytes <= 220, "{bytes} bytes");
    }

    #[tokio::test]
    async fn a_slow_client_is_told_so_and_its_connection_is_closed() {
        let router = Router::new()
            .route("/", post(|body: Bytes| async move { body.len().to_string() }))
            .layer(from_fn(|request: Request, next: Next| watch(SHORT, request, next)));
        for (rest, status, connection) in [
            (Duration::ZERO, StatusCode::OK, None),
            (Duration::from_millis(30), StatusCode::REQUEST_TIMEOUT, Some("close")),
        ] {
            let request = axum::http::Request::post("/").body(body(100, 1, rest)).expect("a request");
            let response = router.clone().oneshot(request).await.expect("an answer");
            let said = response.headers().get(header::CONNECTION).map(|value| value.to_str().expect("text"));
            assert_eq!((response.status(), said), (status, connection));
        }
    }

    #[tokio::test]
    async fn the_time_of_whoever_reads_is_not_the_clients() {
        let mut paced = Body::new(Paced::new(body(5, 1, Duration::from_millis(1)), SHORT, Arc::default()));
        let mut bytes = 0;
        while let Some(frame) = paced.frame().await {
            bytes += frame.expect("in time").data_ref().map_or(0, Bytes::len);
            sleep(SHORT.wait).await;
        }
        assert_eq!(bytes, 5);
    }
}
