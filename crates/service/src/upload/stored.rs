//! What the primary store has of an upload that is under way.

use domain::content::{ContentId, PartDigest, PartPlan};
use store::objects::{Objects, StoredPart};
use store::rows::UploadRow;
use store::{StoreError, Table};

/// What the store has of an upload.
#[derive(Debug)]
pub enum Stored {
    /// Nothing: no multipart upload is under way.
    Nothing,
    /// Parts of a multipart upload that is under way.
    Parts(Vec<StoredPart>),
    /// An object, made of parts with these digests.
    Object(Vec<PartDigest>),
}

/// What the store has of an upload that has not ended.
///
/// # Errors
/// [`StoreError`].
pub async fn stored(table: &Table, objects: &Objects, upload: &UploadRow) -> Result<Stored, StoreError> {
    let Some(multipart_id) = &upload.multipart_id else {
        return Ok(Stored::Nothing);
    };
    let key = upload.object_key();
    if let Some(parts) = objects.list_parts(&key, multipart_id).await? {
        return Ok(Stored::Parts(parts));
    }
    let digests = table.blobs().part_digests(&upload.blob).await?;
    let Some(content_id) = ContentId::of_parts(&digests) else {
        return Ok(Stored::Nothing);
    };
    let there = objects.has(&key, upload.size, &content_id).await?;
    Ok(if there {
        Stored::Object(digests)
    } else {
        Stored::Nothing
    })
}

/// The numbers of the parts that the store lacks, or has in another size.
#[must_use]
pub fn missing_parts(plan: &PartPlan, parts: &[StoredPart]) -> Vec<u32> {
    let mut have = parts
        .iter()
        .filter(|part| plan.part_length(part.number) == Some(part.size))
        .peekable();
    (1..=plan.part_count())
        .filter(|number| have.next_if(|part| part.number == *number).is_none())
        .collect()
}

/// The received parts of an upload as a client sees them: number, length, digest. Where the store has lost the
/// multipart upload (a lifecycle rule), this lets the next part begin a new one.
///
/// # Errors
/// [`StoreError`].
pub async fn received(
    table: &Table,
    objects: &Objects,
    upload: &UploadRow,
) -> Result<Vec<(u32, u64, PartDigest)>, StoreError> {
    Ok(match stored(table, objects, upload).await? {
        Stored::Nothing => {
            if upload.multipart_id.is_some() {
                table.uploads().forget_multipart(upload, table.now()).await?;
            }
            Vec::new()
        }
        Stored::Parts(parts) => parts
            .into_iter()
            .map(|part| (part.number, part.size, part.digest))
            .collect(),
        Stored::Object(digests) => {
            let plan = upload.parts()?;
            let length = |number| plan.part_length(number).unwrap_or_default();
            (1u32..)
                .zip(digests)
                .map(|(number, digest)| (number, length(number), digest))
                .collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u32, size: u64) -> StoredPart {
        StoredPart {
            number,
            size,
            digest: PartDigest::of(b""),
            etag: String::new(),
        }
    }

    #[test]
    fn parts_of_another_size_are_missing() {
        let plan = PartPlan::for_size(3 * 8 * 1024 * 1024 + 1).unwrap();
        let full = plan.part_size();
        assert_eq!(missing_parts(&plan, &[]), [1, 2, 3, 4]);
        assert_eq!(
            missing_parts(&plan, &[part(1, full), part(3, full), part(4, 2)]),
            [2, 4]
        );
        let all = [part(1, full), part(2, full), part(3, full), part(4, 1)];
        assert!(missing_parts(&plan, &all).is_empty());
    }

    #[test]
    fn an_empty_file_needs_its_empty_part() {
        let plan = PartPlan::for_size(0).unwrap();
        assert_eq!(missing_parts(&plan, &[]), [1]);
        assert!(missing_parts(&plan, &[part(1, 0)]).is_empty());
    }
}
