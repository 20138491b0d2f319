//! Commands that do the same for several files or ids: each has its own result, and the command one exit code.

use super::Context;
use crate::exit::{Exit, Failure};
use crate::output;
use client::tree::RemotePath;

/// Texts as paths: all of them, before anything is done.
pub(super) fn paths(texts: &[String]) -> Result<Vec<RemotePath>, Failure> {
    Ok(texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?)
}

/// Does the same for each of several. `what` says what, should any fail.
pub(super) async fn each<T>(
    context: &Context,
    items: &[T],
    what: &str,
    one: impl AsyncFn(&T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut several, mut done) = (Several::new(context, items.len()), 0);
    for item in items {
        match one(item).await {
            Ok(()) => done += 1,
            Err(failure) => {
                if !several.failed(failure) {
                    break;
                }
            }
        }
    }
    several.end(done, what)
}

/// The failures of one command.
pub(super) struct Several {
    json: bool,
    /// How many there are to do.
    total: usize,
    exits: Vec<Exit>,
    /// What kept the command from going on.
    stopped: Option<Exit>,
    /// Of a single one, that the command fails with it.
    only: Option<Failure>,
}

impl Several {
    pub(super) fn new(context: &Context, total: usize) -> Self {
        Self {
            json: context.json,
            total,
            exits: Vec::new(),
            stopped: None,
            only: None,
        }
    }

    /// Tells why one failed. Returns whether the others should still be tried.
    pub(super) fn failed(&mut self, failure: Failure) -> bool {
        self.exits.push(failure.exit);
        let goes_on = !failure.concerns_all();
        if !goes_on {
            self.stopped = Some(failure.exit);
        }
        if self.total == 1 {
            self.only = Some(failure);
        } else {
            output::failure(&failure, self.json);
        }
        goes_on
    }

    /// How the command ends, when `done` of them were done: not well if any failed. `what` says so.
    pub(super) fn end(self, done: usize, what: &str) -> Result<(), Failure> {
        if let Some(only) = self.only {
            return Err(only);
        }
        let failed = self.exits.len();
        let Some(exit) = exit(&self.exits, self.stopped) else {
            return Ok(());
        };
        let message = match self.total.saturating_sub(done + failed) {
            0 => format!("{what}: {failed} of {} failed", self.total),
            untried => format!(
                "{what}: {failed} of {} failed, and {untried} after that were not tried",
                self.total
            ),
        };
        Err(Failure::new(exit, message))
    }
}

/// The code that says most about all failures: what they share, or what the command stopped at.
fn exit(exits: &[Exit], stopped: Option<Exit>) -> Option<Exit> {
    let first = *exits.first()?;
    let shared = exits.iter().all(|exit| *exit == first).then_some(first);
    Some(stopped.or(shared).unwrap_or(Exit::Failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_what_failures_share_or_what_stopped_the_command() {
        use Exit::{Conflict, Failed, NotSignedIn, Usage};
        assert_eq!(exit(&[], None), None);
        assert_eq!(exit(&[Conflict, Conflict], None), Some(Conflict));
        assert_eq!(exit(&[Conflict, Usage], None), Some(Failed));
        assert_eq!(
            exit(&[Conflict, NotSignedIn], Some(NotSignedIn)),
            Some(NotSignedIn)
        );
    }
}
