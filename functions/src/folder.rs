//! The functions of the resource `folder`.

pub mod create;

use api::Problem;
use domain::placement::OnConflict;
use wire::Declares;
use wire::code::InvalidRequest;

/// Refuses to put a folder into the place of something.
pub(crate) fn replaces_nothing<E: Declares<InvalidRequest>>(
    on_conflict: OnConflict,
) -> Result<(), Problem<E>> {
    if on_conflict == OnConflict::Replace {
        let detail = "on_conflict: a folder does not replace anything; use \"fail\" or \"rename\"";
        return Err(Problem::invalid("on_conflict", detail));
    }
    Ok(())
}
