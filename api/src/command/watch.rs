//! `--watch`: an inbox looked at until the process is told to end.

use std::future::Future;
use std::time::Duration;

use crate::instance::Instance;
use crate::pipeline::watch::Watch;
use crate::pipeline::{Inbox, PipelineError};

/// Longest time between two looks after errors.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Files of an inbox, as they come to rest.
pub struct Watching {
    watch: Watch,
    inbox: Inbox,
    pause: Duration,
}

impl Watching {
    /// Watches an inbox at the pace of the settings.
    pub fn new(instance: &Instance, inbox: Inbox) -> Self {
        let pause = Duration::from_millis(instance.config.ingest.watch_ms.max(1));
        Self { watch: Watch::new(&inbox.path), inbox, pause }
    }

    /// Looks twice and gives the files that rest to `run`. For the first run, before anything is served.
    ///
    /// # Errors
    ///
    /// The inbox cannot be read, or what `run` says.
    pub async fn once<T, F: Future<Output = anyhow::Result<T>>>(
        &mut self,
        run: impl FnOnce(Inbox) -> F,
    ) -> anyhow::Result<T> {
        self.watch.look()?;
        tokio::time::sleep(self.pause).await;
        let ready = self.watch.look()?;
        let outcome = run(Inbox { ready: Some(ready.clone()), ..self.inbox.clone() }).await?;
        self.watch.took(&ready);
        Ok(outcome)
    }

    /// Looks until `stop` ends; a run that has begun is finished first. Errors are said and tried again, later each time.
    pub async fn until<F: Future<Output = anyhow::Result<()>>>(
        mut self,
        stop: impl Future<Output = ()>,
        mut run: impl FnMut(Inbox) -> F,
    ) {
        let mut stop = std::pin::pin!(stop);
        let mut pause = self.pause;
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = tokio::time::sleep(pause) => {}
            }
            match self.cycle(&mut run).await {
                Ok(()) => pause = self.pause,
                Err(error) => {
                    eprintln!("gongkai: {error:#}; trying again");
                    pause = (pause * 2).min(LONGEST_PAUSE.max(self.pause));
                }
            }
        }
    }

    async fn cycle<F: Future<Output = anyhow::Result<()>>>(
        &mut self,
        run: &mut impl FnMut(Inbox) -> F,
    ) -> anyhow::Result<()> {
        let ready = tokio::task::block_in_place(|| self.watch.look()).map_err(|error: PipelineError| error)?;
        if !ready.is_empty() {
            run(Inbox { ready: Some(ready.clone()), ..self.inbox.clone() }).await?;
            self.watch.took(&ready);
        }
        Ok(())
    }
}
