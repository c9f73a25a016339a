//! How slow the other end of a connection may be while it is waited for.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// So many bytes in so long a time, whenever the other end is waited for.
#[derive(Debug)]
pub struct Pace {
    time: Duration,
    bytes: usize,
    /// While it is waited for: when that ends, and what was moved since it began.
    wait: Option<(Pin<Box<Sleep>>, usize)>,
}

impl Pace {
    /// Nobody is waited for yet.
    pub fn new(time: Duration, bytes: usize) -> Self {
        Self { time, bytes, wait: None }
    }

    /// Bytes that the other end took. With enough of them the next wait begins anew.
    pub fn moved(&mut self, bytes: usize) {
        if let Some((_, sum)) = &mut self.wait {
            *sum += bytes;
            if *sum >= self.bytes {
                self.wait = None;
            }
        }
    }

    /// The other end is waited for; whether it has been too slow by now. The task is woken when it is.
    pub fn is_too_slow(&mut self, cx: &mut Context<'_>) -> bool {
        let time = self.time;
        let (end, _) = self.wait.get_or_insert_with(|| (Box::pin(sleep(time)), 0));
        end.as_mut().poll(cx).is_ready()
    }

    /// The other end has taken everything.
    pub fn rest(&mut self) {
        self.wait = None;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Instant;

    use super::*;

    const TIME: Duration = Duration::from_millis(100);

    /// Waits until the other end is too slow, and says for how long that was.
    async fn patience(pace: &mut Pace) -> Duration {
        let begun = Instant::now();
        poll_fn(|cx| if pace.is_too_slow(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
        begun.elapsed()
    }

    async fn look(pace: &mut Pace) -> bool {
        poll_fn(|cx| Poll::Ready(pace.is_too_slow(cx))).await
    }

    #[tokio::test]
    async fn whoever_takes_too_little_is_too_slow_when_the_time_is_over() {
        let mut pace = Pace::new(TIME, 10);
        assert!(!look(&mut pace).await);
        pace.moved(9);
        assert!(patience(&mut pace).await <= TIME + Duration::from_secs(5));
        assert!(look(&mut pace).await, "it stays so");
    }

    #[tokio::test]
    async fn enough_bytes_or_the_end_of_the_wait_begin_a_new_one() {
        for is_rest in [false, true] {
            let mut pace = Pace::new(TIME, 10);
            assert!(!look(&mut pace).await);
            sleep(TIME).await;
            if is_rest {
                pace.rest();
            } else {
                pace.moved(4);
                pace.moved(6);
            }
            assert!(!look(&mut pace).await, "the time of the last wait is not counted");
            assert!(patience(&mut pace).await >= TIME / 2);
        }
    }
}
