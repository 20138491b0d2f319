//! Writes that are made only if their conditions hold, alone or all together.

use super::client::Table;
use super::retry::collision_waits;
use super::row::{Row, to_item};
use super::write::{Change, Write, names_in, number};
use crate::error::{Conflict, StoreError, remote, remote_as};
use crate::key::Key;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use backon::{BackoffBuilder, Retryable};
use host::Rng;
use std::collections::HashMap;
use tokio::time::sleep;

impl Table {
    /// Writes a row over the version that was read.
    ///
    /// # Errors
    /// [`Conflict`] with `conflict` when the row's `version` is another.
    pub async fn replace<R: Row>(&self, row: &R, version: u64, conflict: Conflict) -> Result<(), StoreError> {
        let request = self
            .client()
            .await?
            .put_item()
            .table_name(&self.name)
            .set_item(Some(to_item(row)?))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(version));
        alone("PutItem", &row.key(), conflict, &self.rng, || {
            request.clone().send()
        })
        .await
    }

    /// Writes a row over the version that was read; 0 is none.
    pub(crate) async fn put_version<R: Row>(&self, row: &R, was: u64) -> Result<(), StoreError> {
        let conflict = Conflict::ReplicaChanged;
        if was == 0 {
            self.transact(vec![Write::create(row, conflict)?]).await
        } else {
            self.replace(row, was, conflict).await
        }
    }

    /// Changes one item.
    ///
    /// # Errors
    /// [`Conflict`] with `conflict` when the condition does not hold.
    pub async fn update(&self, change: Change, conflict: Conflict) -> Result<(), StoreError> {
        let key = change.key.clone();
        let request = self
            .client()
            .await?
            .update_item()
            .table_name(&self.name)
            .set_key(Some(change.key.attributes()))
            .set_expression_attribute_names(names_in(&[&change.update, &change.condition]))
            .update_expression(change.update)
            .condition_expression(change.condition)
            .set_expression_attribute_values((!change.values.is_empty()).then_some(change.values));
        alone("UpdateItem", &key, conflict, &self.rng, || request.clone().send()).await
    }

    /// Changes one item, or leaves it as it is when the condition does not hold. Returns whether it held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn update_if(&self, change: Change) -> Result<bool, StoreError> {
        match self.update(change, Conflict::NodeChanged).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes an item. Returns whether there was one.
    pub(crate) async fn delete_existing(&self, key: &Key, conflict: Conflict) -> Result<bool, StoreError> {
        let write = Write::delete(key, "attribute_exists(pk)", HashMap::new(), conflict)?;
        match self.transact(vec![write]).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes all or nothing.
    ///
    /// # Errors
    /// [`Conflict`] with the conflict of the first write whose condition does not hold.
    pub async fn transact(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let conflicts: Vec<Conflict> = writes.iter().map(|write| write.conflict).collect();
        let items: Vec<_> = writes
            .into_iter()
            .map(|write| write.into_table(&self.name))
            .collect();
        let mut waits = collision_waits(&self.rng).build();
        let mut token = self.rng.uuid().to_string();
        loop {
            let request = self
                .client()
                .await?
                .transact_write_items()
                .client_request_token(&token)
                .set_transact_items(Some(items.clone()));
            let Err(error) = request.send().await else {
                return Ok(());
            };
            match cancellation(&error, &conflicts) {
                Cancellation::Condition(conflict) => return Err(conflict.into()),
                Cancellation::Collision => token = self.rng.uuid().to_string(),
                // An earlier try of ours, whose answer got lost: with its token we get its result.
                Cancellation::UnderWay => {}
                Cancellation::Other => return Err(refusal(&error)),
            }
            match waits.next() {
                Some(wait) => sleep(wait).await,
                None => return Err(refusal(&error)),
            }
        }
    }
}

/// A transaction that was not written. Of one that was cancelled the code is the reason: that it was cancelled says nothing
/// about whether it passes.
fn refusal(error: &SdkError<TransactWriteItemsError>) -> StoreError {
    let reason = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
            .cancellation_reasons()
            .iter()
            .filter_map(|reason| reason.code())
            .find(|code| *code != "None"),
        _ => None,
    };
    let own = error.as_service_error().and_then(ProvideErrorMetadata::code);
    remote_as("TransactWriteItems", reason.or(own), error)
}

/// A conditional write of one item. While a transaction is at the item it is refused (`TransactionConflictException`), which the
/// SDK does not take for passing.
async fn alone<E, T, F>(
    operation: &'static str,
    key: &Key,
    conflict: Conflict,
    rng: &Rng,
    send: impl Fn() -> F,
) -> Result<(), StoreError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    F: Future<Output = Result<T, SdkError<E>>>,
{
    let collided = |error: &SdkError<E>| {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        code == Some("TransactionConflictException")
    };
    match send.retry(collision_waits(rng)).when(collided).await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error().and_then(ProvideErrorMetadata::code) {
            Some("ConditionalCheckFailedException") => Err(StoreError::from(conflict).about(key)),
            _ => Err(remote(operation)(error).about(key)),
        },
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

fn cancellation(error: &SdkError<TransactWriteItemsError>, conflicts: &[Conflict]) -> Cancellation {
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
    use crate::ErrorKind;
    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;
    use aws_sdk_s3::primitives::SdkBody;
    use std::cell::Cell;

    fn answer() -> HttpResponse {
        HttpResponse::new(400.try_into().unwrap(), SdkBody::empty())
    }

    /// A write that is refused with these codes, one after the other, and then done. Returns how often it was
    /// tried.
    async fn refused(codes: &[&str]) -> (Result<(), StoreError>, usize) {
        let tries = Cell::new(0);
        let send = || {
            let code = codes.get(tries.replace(tries.get() + 1));
            std::future::ready(match code {
                None => Ok(()),
                Some(code) => {
                    let metadata = ErrorMetadata::builder().code(*code).build();
                    Err(SdkError::service_error(
                        UpdateItemError::generic(metadata),
                        answer(),
                    ))
                }
            })
        };
        let key = Key {
            pk: "p".to_owned(),
            sk: "s".to_owned(),
        };
        let result = alone("UpdateItem", &key, Conflict::NodeChanged, &Rng::system(), send).await;
        (result, tries.get())
    }

    #[tokio::test]
    async fn a_write_that_meets_a_transaction_is_tried_again() {
        const MET: &str = "TransactionConflictException";
        let (done, tries) = refused(&[MET, MET]).await;
        assert!(done.is_ok());
        assert_eq!(tries, 3);
        let (lost, tries) = refused(&[MET, "ConditionalCheckFailedException"]).await;
        assert!(matches!(
            lost,
            Err(StoreError {
                kind: ErrorKind::Conflict(Conflict::NodeChanged),
                ..
            })
        ));
        assert_eq!(tries, 2);
        let (failed, tries) = refused(&["ValidationException"]).await;
        assert_eq!(failed.unwrap_err().kind, ErrorKind::Invalid);
        assert_eq!(tries, 1);
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
            refusal(&SdkError::service_error(error, answer()))
        };
        let wrong = told(&["None", "ValidationError"]);
        assert_eq!(wrong.kind, ErrorKind::Invalid);
        assert_eq!(wrong.to_string(), "TransactWriteItems failed (ValidationError)");
        let busy = told(&["None", "ThrottlingError"]);
        assert_eq!(busy.kind, ErrorKind::Throttled);
        assert_eq!(told(&["TransactionConflict"]).kind, ErrorKind::Throttled);
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
            cancellation(&SdkError::service_error(error, answer()), &conflicts)
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
