//! Writes that are made only if their conditions hold, alone or all together.

use super::write::{names_in, number};
use super::{Change, Row, Table, Write, to_item};
use crate::error::{Conflict, StoreError, remote};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder, Retryable};
use std::time::Duration;
use tokio::time::sleep;

/// How often a write is tried again that collided with another one.
const COLLISION_RETRIES: usize = 8;
/// How often in a row a batch may be left as it was: with the waits in between about ten seconds.
const BATCH_RETRIES: usize = 12;

/// Waits before a write or read is tried again: each is on average twice as long as the one before, from 40 ms to 1.3 s.
fn waits(retries: usize) -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(27))
        .with_max_delay(Duration::from_millis(864))
        .with_max_times(retries)
        .with_jitter_seed(rand::random())
        .with_jitter()
}

impl Table {
    /// Writes a row over the version that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with `conflict` when the row's `version` is another.
    pub async fn replace<R: Row>(&self, row: &R, version: u64, conflict: Conflict) -> Result<(), StoreError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(to_item(row)?))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(version));
        alone("PutItem", conflict, || request.clone().send()).await
    }

    /// Changes one item.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with `conflict` when the condition does not hold.
    pub async fn change(&self, change: Change, conflict: Conflict) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(change.key.attributes()))
            .set_expression_attribute_names(names_in(&[&change.update, &change.condition]))
            .update_expression(change.update)
            .condition_expression(change.condition)
            .set_expression_attribute_values((!change.values.is_empty()).then_some(change.values));
        alone("UpdateItem", conflict, || request.clone().send()).await
    }

    /// Changes one item, or leaves it as it is when the condition does not hold. Gives whether it held.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn change_if_it_holds(&self, change: Change) -> Result<bool, StoreError> {
        match self.change(change, Conflict::NodeChanged).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with the conflict of the first write whose condition does not hold.
    pub async fn transact(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let conflicts: Vec<Conflict> = writes.iter().map(|write| write.conflict).collect();
        let items: Vec<_> = writes
            .into_iter()
            .map(|write| write.into_table(&self.name))
            .collect();
        let mut waits = waits(COLLISION_RETRIES).build();
        let mut token = uuid::Uuid::new_v4().to_string();
        loop {
            let request = self
                .client
                .transact_write_items()
                .client_request_token(&token)
                .set_transact_items(Some(items.clone()));
            let Err(error) = request.send().await else {
                return Ok(());
            };
            match cancellation(&error, &conflicts) {
                Cancellation::Condition(conflict) => return Err(conflict.into()),
                Cancellation::Collision => token = uuid::Uuid::new_v4().to_string(),
                // An earlier try of ours, whose answer got lost: with its token we get its result.
                Cancellation::UnderWay => {}
                Cancellation::Other => return Err(refusal(error)),
            }
            match waits.next() {
                Some(wait) => sleep(wait).await,
                None => return Err(refusal(error)),
            }
        }
    }
}

/// A transaction that was not written. Of one that was cancelled the code is the reason: that it was cancelled says nothing
/// about whether it passes.
fn refusal<R: std::fmt::Debug + Send + Sync + 'static>(
    error: SdkError<TransactWriteItemsError, R>,
) -> StoreError {
    let reason = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
            .cancellation_reasons()
            .iter()
            .filter_map(|reason| reason.code())
            .find(|code| *code != "None")
            .map(str::to_owned),
        _ => None,
    };
    match remote("TransactWriteItems")(error) {
        StoreError::Remote {
            operation,
            code,
            cause,
        } => StoreError::Remote {
            operation,
            code: reason.or(code),
            cause,
        },
        other => other,
    }
}

/// A conditional write of one item. While a transaction is at the item it is refused (`TransactionConflictException`), which the
/// SDK does not take for passing.
async fn alone<E, R, T, F>(
    operation: &'static str,
    conflict: Conflict,
    send: impl Fn() -> F,
) -> Result<(), StoreError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
    F: Future<Output = Result<T, SdkError<E, R>>>,
{
    let collided = |error: &SdkError<E, R>| {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        code == Some("TransactionConflictException")
    };
    let retries = waits(COLLISION_RETRIES);
    match send.retry(retries).when(collided).await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error().and_then(ProvideErrorMetadata::code) {
            Some("ConditionalCheckFailedException") => Err(conflict.into()),
            _ => Err(remote(operation)(error)),
        },
    }
}

/// The waits of a batch of which DynamoDB leaves something undone.
pub(super) struct RestWaits(ExponentialBackoff);

impl RestWaits {
    pub(super) fn new() -> Self {
        Self(waits(BATCH_RETRIES).build())
    }

    /// Waits before what was left is asked for again. `progress`: some of it was done.
    ///
    /// # Errors
    /// [`StoreError::Remote`] when nothing of it was done too often in a row.
    pub(super) async fn next(&mut self, operation: &'static str, progress: bool) -> Result<(), StoreError> {
        if progress {
            *self = Self::new();
        }
        let Some(wait) = self.0.next() else {
            return Err(StoreError::Remote {
                operation,
                code: Some("ThrottlingException".to_owned()),
                cause: format!("nothing of a batch was done {} times in a row", BATCH_RETRIES + 1),
            });
        };
        sleep(wait).await;
        Ok(())
    }
}

enum Cancellation {
    /// A condition does not hold.
    Condition(Conflict),
    /// Another write was at the same items at the same time.
    Collision,
    /// The very same transaction is being worked on.
    UnderWay,
    Other,
}

fn cancellation<R>(error: &SdkError<TransactWriteItemsError, R>, conflicts: &[Conflict]) -> Cancellation {
    let Some(service) = error.as_service_error() else {
        return Cancellation::Other;
    };
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = service else {
        let under_way = service.code() == Some("TransactionInProgressException");
        return if under_way {
            Cancellation::UnderWay
        } else {
            Cancellation::Other
        };
    };
    let mut collided = false;
    for (reason, conflict) in cancelled.cancellation_reasons().iter().zip(conflicts) {
        match reason.code() {
            Some("ConditionalCheckFailed") => return Cancellation::Condition(*conflict),
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                collided = true;
            }
            _ => {}
        }
    }
    if collided {
        Cancellation::Collision
    } else {
        Cancellation::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;
    use std::cell::Cell;

    /// A write that is refused with these codes, one after the other, and then done. Gives how often it was tried.
    async fn refused(codes: &[&str]) -> (Result<(), StoreError>, usize) {
        let tries = Cell::new(0);
        let send = || {
            let code = codes.get(tries.replace(tries.get() + 1));
            std::future::ready(match code {
                None => Ok(()),
                Some(code) => {
                    let metadata = ErrorMetadata::builder().code(*code).build();
                    Err(SdkError::service_error(UpdateItemError::generic(metadata), ()))
                }
            })
        };
        let result = alone("UpdateItem", Conflict::NodeChanged, send).await;
        (result, tries.get())
    }

    #[tokio::test]
    async fn a_write_that_meets_a_transaction_is_tried_again() {
        const MET: &str = "TransactionConflictException";
        let (done, tries) = refused(&[MET, MET]).await;
        assert!(done.is_ok());
        assert_eq!(tries, 3);
        let (lost, tries) = refused(&[MET, "ConditionalCheckFailedException"]).await;
        assert!(matches!(lost, Err(StoreError::Conflict(Conflict::NodeChanged))));
        assert_eq!(tries, 2);
        let (failed, tries) = refused(&["ValidationException"]).await;
        assert_eq!(failed.unwrap_err().code(), Some("ValidationException"));
        assert_eq!(tries, 1);
    }

    #[test]
    fn a_batch_of_which_nothing_is_done_ends() {
        let waits: Vec<_> = waits(BATCH_RETRIES).build().collect();
        assert_eq!(waits.len(), BATCH_RETRIES);
        let total: Duration = waits.iter().sum();
        assert!((6..14).contains(&total.as_secs()), "{waits:?}");
    }

    #[tokio::test]
    async fn a_batch_of_which_something_is_done_goes_on() {
        let mut waits = RestWaits::new();
        waits.0.by_ref().for_each(drop);
        assert!(waits.next("BatchGetItem", true).await.is_ok());
        waits.0.by_ref().for_each(drop);
        let ended = waits.next("BatchGetItem", false).await;
        assert_eq!(ended.unwrap_err().code(), Some("ThrottlingException"));
    }

    #[test]
    fn a_cancelled_transaction_is_known_by_its_reason() {
        let told = |codes: &[&str]| {
            let reasons = codes
                .iter()
                .map(|code| CancellationReason::builder().code(*code).build());
            let cancelled = TransactionCanceledException::builder()
                .set_cancellation_reasons(Some(reasons.collect()))
                .build();
            let error = TransactWriteItemsError::TransactionCanceledException(cancelled);
            refusal(SdkError::service_error(error, ()))
        };
        let wrong = told(&["None", "ValidationError"]);
        assert_eq!((wrong.code(), wrong.passes()), (Some("ValidationError"), false));
        let busy = told(&["None", "ThrottlingError"]);
        assert_eq!((busy.code(), busy.passes()), (Some("ThrottlingError"), true));
        assert!(told(&["TransactionConflict"]).passes());
    }

    #[test]
    fn transactions_are_cancelled_for_conditions_before_collisions() {
        let conflicts = [Conflict::UploadChanged, Conflict::NameTaken];
        let told = |codes: [&str; 2]| {
            let reasons = codes.map(|code| CancellationReason::builder().code(code).build());
            let cancelled = TransactionCanceledException::builder()
                .set_cancellation_reasons(Some(reasons.to_vec()))
                .build();
            let error = TransactWriteItemsError::TransactionCanceledException(cancelled);
            cancellation(&SdkError::service_error(error, ()), &conflicts)
        };
        assert!(matches!(
            told(["TransactionConflict", "ConditionalCheckFailed"]),
            Cancellation::Condition(Conflict::NameTaken)
        ));
        assert!(matches!(
            told(["ConditionalCheckFailed", "ConditionalCheckFailed"]),
            Cancellation::Condition(Conflict::UploadChanged)
        ));
        assert!(matches!(
            told(["None", "TransactionConflict"]),
            Cancellation::Collision
        ));
        assert!(matches!(told(["None", "ValidationError"]), Cancellation::Other));
    }
}
