//! The messages and slots that a worker holds, for its heartbeats.

use super::delivery::Delivery;
use domain::replica::Message;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Messages whose visibility time-out is extended, and slots that are held.
#[derive(Default)]
pub(super) struct HeldLeases {
    /// By receipt handle. Those that are done stay invisible until the invocation is over and they are deleted.
    /// Locked during the call that extends them: a message that was let go is not extended.
    messages: tokio::sync::Mutex<BTreeMap<String, Message>>,
    /// Slots at targets.
    slots: Mutex<Vec<(String, u16)>>,
}

impl HeldLeases {
    pub(super) fn of(deliveries: &[Delivery]) -> Self {
        let messages = deliveries
            .iter()
            .filter_map(|delivery| Some((delivery.receipt.clone()?, delivery.message.clone())));
        Self {
            messages: tokio::sync::Mutex::new(messages.collect()),
            slots: Mutex::default(),
        }
    }

    /// Extends the visibility time-out of all messages that the worker holds.
    pub(super) async fn extend_all<E>(
        &self,
        change_visibility: impl AsyncFn(&[(&Message, &str)]) -> Result<(), E>,
    ) -> Result<(), E> {
        let messages = self.messages.lock().await;
        let all: Vec<(&Message, &str)> = messages
            .iter()
            .map(|(receipt, message)| (message, receipt.as_str()))
            .collect();
        change_visibility(&all).await
    }

    /// From here on a message is invisible for as long as `change_visibility` says, and no longer:
    /// [`HeldLeases::extend_all`] has ended, and does not know of it the next time.
    pub(super) async fn let_go<T>(&self, receipt: &str, change_visibility: impl Future<Output = T>) -> T {
        self.messages.lock().await.remove(receipt);
        change_visibility.await
    }

    pub(super) fn slots(&self) -> Vec<(String, u16)> {
        self.held().clone()
    }

    pub(super) fn take(&self, target: &str, slot: u16) {
        self.held().push((target.to_owned(), slot));
    }

    pub(super) fn leave(&self, target: &str, slot: u16) {
        self.held().retain(|held| *held != (target.to_owned(), slot));
    }

    fn held(&self) -> MutexGuard<'_, Vec<(String, u16)>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::time::Duration;
    use tokio::time::sleep;

    #[tokio::test]
    async fn a_heartbeat_under_way_does_not_end_a_back_off() {
        let delivery = Delivery {
            message: Message::Start {
                blob: "b".parse().unwrap(),
                target: "t".to_owned(),
            },
            receipt: Some("r".to_owned()),
            attempts: 1,
        };
        let held_leases = HeldLeases::of(&[delivery]);
        // The visibility time-out that the queue was told last.
        let changed = Mutex::new(0);
        let beat = async || {
            let change_visibility = async |messages: &[(&Message, &str)]| {
                if !messages.is_empty() {
                    // The request is on its way.
                    sleep(Duration::from_millis(50)).await;
                    *changed.lock().unwrap() = 30;
                }
                Ok::<(), Infallible>(())
            };
            held_leases.extend_all(change_visibility).await.unwrap();
        };
        let back_off = async {
            sleep(Duration::from_millis(10)).await;
            held_leases
                .let_go("r", async { *changed.lock().unwrap() = 300 })
                .await;
        };
        tokio::join!(beat(), back_off);
        assert_eq!(*changed.lock().unwrap(), 300);
        beat().await;
        assert_eq!(*changed.lock().unwrap(), 300, "it is not the worker's any more");
    }
}
