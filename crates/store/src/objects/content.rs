//! Contents as stores tell them.

use domain::content::ContentId;

/// Stores differ in whether they append the number of parts to a composite checksum.
pub(super) fn same_content(text: &str, content_id: &ContentId) -> bool {
    let expected = content_id.to_string();
    text == expected
        || expected
            .strip_prefix(text)
            .is_some_and(|rest| rest.starts_with('-'))
}
