//! What the functions share that lead to a file's bytes.

use api::{Problem, lookup};
use domain::id::{AccountId, NodeId};
use domain::versions::VersionId;
use service::file::read_url::{ReadUrl, ReadUrls, SignResult};
use service::file::versions::find;
use store::rows::FileContent;
use wire::{Declares, code};

/// A content of a file of the account, the one of this number or the one that it has, and a URL of its bytes.
pub(super) async fn signed<E: Declares<code::NotFound> + Declares<code::BytesUnavailable>>(
    urls: &ReadUrls,
    account: &AccountId,
    id: &NodeId,
    number: Option<u64>,
) -> Result<(FileContent, ReadUrl), Problem<E>> {
    let node = lookup::node(&urls.table, account, id).await?;
    let Some(file) = node.file else {
        return Err(Problem::not_found("file: this is a folder"));
    };
    let file = match number.filter(|number| *number != file.number) {
        None => file,
        Some(number) => {
            let id = VersionId {
                node: node.id,
                number,
            };
            let version = find(&urls.table, account, &id).await?;
            version.ok_or_else(|| Problem::not_found("version"))?.file
        }
    };
    match urls.sign(&node.name, &file).await? {
        SignResult::Signed(url) => Ok((file, url)),
        SignResult::Deleted => Err(Problem::not_found("file: it was deleted just now")),
        SignResult::Unavailable => {
            let detail = "the primary store has lost the file's bytes, and no replica of them can be reached now; \
                          try again later, or ask who operates this store";
            Err(Problem::new(code::BytesUnavailable, detail).retry_after(60))
        }
    }
}
