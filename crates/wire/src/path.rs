//! The variable of a path.

use crate::Schemas;
use domain::id::{NodeId, PersonalTokenId, SessionId, TargetName, UploadId};
use domain::versions::VersionId;
use schemars::Schema;

/// What `{id}` in a path is; `()` where the path has none.
pub trait Path: Sized + Send + Sync + 'static {
    /// What it is the id of, as a problem says it.
    const NOUN: &'static str;

    /// The id, of what the path has in its place.
    fn read(text: Option<&str>) -> Option<Self>;

    /// How it looks.
    fn schema(schemas: &mut Schemas) -> Option<Schema>;
}

impl Path for () {
    const NOUN: &'static str = "resource";

    fn read(_: Option<&str>) -> Option<Self> {
        Some(())
    }

    fn schema(_: &mut Schemas) -> Option<Schema> {
        None
    }
}

macro_rules! paths {
    ($($id:ident: $noun:literal;)*) => {
        $(impl Path for $id {
            const NOUN: &'static str = $noun;

            fn read(text: Option<&str>) -> Option<Self> {
                text?.parse().ok()
            }

            fn schema(schemas: &mut Schemas) -> Option<Schema> {
                Some(schemas.request::<Self>())
            }
        })*
    };
}

paths! {
    NodeId: "file or folder";
    PersonalTokenId: "token";
    SessionId: "session";
    TargetName: "target";
    UploadId: "upload";
    VersionId: "version";
}
