//! Objects that are deleted.

use super::Objects;
use crate::error::{StoreError, remote};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use std::collections::BTreeMap;

/// How many S3 takes at once.
const AT_ONCE: usize = 1000;

impl Objects {
    /// Deletes an object. One that is not there is as good as deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        request.send().await.map_err(remote("DeleteObject"))?;
        Ok(())
    }

    /// Deletes many objects. Returns those that were not, and why.
    ///
    /// # Errors
    /// [`StoreError`] when nothing is known of some of them.
    pub async fn delete_many(&self, keys: &[String]) -> Result<BTreeMap<String, StoreError>, StoreError> {
        let malformed =
            |error: aws_sdk_s3::error::BuildError| StoreError::internal("building a request", error);
        let mut failed = BTreeMap::new();
        for some in keys.chunks(AT_ONCE) {
            let named = some
                .iter()
                .map(|key| ObjectIdentifier::builder().key(key).build());
            let named = named.collect::<Result<_, _>>().map_err(malformed)?;
            let delete = Delete::builder().set_objects(Some(named)).quiet(true).build();
            let answer = self
                .client
                .delete_objects()
                .bucket(&self.bucket)
                .delete(delete.map_err(malformed)?)
                .send()
                .await
                .map_err(remote("DeleteObjects"))?;
            for error in answer.errors() {
                let Some(key) = error.key() else { continue };
                let message = error.message().unwrap_or("an object was not deleted");
                let told = StoreError::said("DeleteObjects", error.code(), message);
                failed.insert(key.to_owned(), told);
            }
        }
        Ok(failed)
    }
}
