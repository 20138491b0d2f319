//! What can be wrong, as programs tell it.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A problem document, where an answer has it in it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Document(pub Map<String, Value>);

impl JsonSchema for Document {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ProblemDocument".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "$ref": "#/components/schemas/Problem" })
    }
}

/// What codes are made URIs with. They need not resolve (RFC 9457, section 3.1.1).
pub const TYPE_BASE: &str = "https://longshore.dev/problems/";

/// A code as a type: handlers name it so, and the compiler sees whether their endpoint declares it.
pub trait AsCode {
    /// The code.
    const CODE: Code;
}

macro_rules! codes {
    ($($variant:ident: $text:literal, $status:literal, $title:literal, $doc:literal;)*) => {
        /// What can be wrong, as programs tell it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $doc] $variant,)*
        }

        impl Code {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it is written in answers.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The HTTP status that goes with it, always an error.
            #[must_use]
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)*
                }
            }

            /// The kind of problem, for people.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }

            /// In which case it is answered.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc,)*
                }
            }
        }

        /// Each code as a type.
        pub mod code {
            use super::{AsCode, Code};

            $(
                #[doc = $doc]
                #[derive(Debug, Clone, Copy)]
                pub struct $variant;

                impl AsCode for $variant {
                    const CODE: Code = Code::$variant;
                }
            )*
        }
    };
}

codes! {
    MalformedJson: "malformed_json", 400, "The body is not valid JSON", "The body is not JSON.";
    InvalidRequest: "invalid_request", 400, "The request is not valid", "A field, a parameter or a header is not what it should be.";
    Unauthorized: "unauthorized", 401, "Sign in first", "No token, or none that is good.";
    Forbidden: "forbidden", 403, "Not allowed", "The account may not do this, or not with a personal access token.";
    InsufficientScope: "insufficient_scope", 403, "The token is not for this", "The token is good, but not for this (RFC 6750, section 3.1).";
    WrongPassword: "wrong_password", 403, "The password is wrong", "The password that has to be given once more is another one. Not a 401: the token is good.";
    InvitationRequired: "invitation_required", 403, "An invitation is needed", "Signing up is closed here: it wants the code of an invitation.";
    InvitationInvalid: "invitation_invalid", 403, "The code cannot be used", "The code is wrong, or was used, or is not good any more, or is for something else: these cannot be told apart.";
    QuotaExceeded: "quota_exceeded", 403, "The quota does not allow it", "The account has no room.";
    NotFound: "not_found", 404, "Not found", "There is none, or it is not the caller's: the two cannot be told apart.";
    UsernameTaken: "username_taken", 409, "The username is taken", "Another account has the username.";
    NameTaken: "name_taken", 409, "The name is taken", "The folder has an entry of this name.";
    ParentNotFound: "parent_not_found", 409, "The folder does not exist", "The folder that it should go to is not there.";
    TooDeep: "too_deep", 409, "The folder would be too deep", "Folders are within each other as deep as they may be.";
    WithinItself: "within_itself", 409, "A folder cannot go into itself", "The folder that it should go to is this one, or is within it.";
    InTrash: "in_trash", 409, "It is in the trash", "It, or a folder that it is in, is in the trash.";
    Unreadable: "unreadable", 409, "It cannot be read", "What is stored of it cannot be read. Trying again does not help; whoever operates the store finds the key in the log.";
    FolderNotEmpty: "folder_not_empty", 409, "The folder is not empty", "The folder has entries.";
    TooManyKept: "too_many_kept", 409, "Too many versions are kept", "As many versions of the file are kept for good as may be.";
    UploadNotOpen: "upload_not_open", 409, "The upload is not open", "The upload cannot be worked on (any more).";
    PartsMissing: "parts_missing", 409, "Parts are missing", "Not all parts have arrived.";
    ContentMismatch: "content_mismatch", 409, "Other bytes than announced", "The parts are not what the content id says.";
    ChangedMeanwhile: "changed_meanwhile", 409, "Changed meanwhile", "Somebody else was faster.";
    PreconditionFailed: "precondition_failed", 412, "It is another version", "`If-Match` does not name the version that there is.";
    PayloadTooLarge: "payload_too_large", 413, "The body is too large", "The body is too large.";
    KeyReused: "idempotency_key_reused", 422, "The key belongs to another request", "An idempotency key came again with another request.";
    TooManyRequests: "too_many_requests", 429, "Too many requests", "Too often.";
    Internal: "internal", 500, "Something went wrong", "A fault of Longshore.";
    Unavailable: "unavailable", 503, "Temporarily unavailable", "Something that Longshore depends on did not answer.";
    BytesUnavailable: "bytes_unavailable", 503, "The bytes are not available", "The file's bytes are lost, and no replica answers.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// `docs/api.md` has each code, with its status, and no other.
    #[test]
    fn the_codes_in_the_documents_are_those_that_are_answered() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md"));
        let text = std::fs::read_to_string(file).unwrap();
        let table = text.split_once("| status | codes |\n").unwrap().1;
        let mut said = BTreeSet::new();
        for row in table.lines().skip(1).map_while(|line| line.strip_prefix("| ")) {
            let (status, codes) = row.split_once(" | ").unwrap();
            // What is in brackets is what comes with a code.
            let codes = codes.split(['(', ')']).step_by(2);
            let codes = codes.flat_map(|codes| codes.split('`').skip(1).step_by(2));
            said.extend(codes.map(|code| (status.parse().unwrap(), code.to_owned())));
        }
        let answered = Code::ALL
            .iter()
            .map(|code| (code.status(), code.as_str().to_owned()));
        assert_eq!(said, answered.collect::<BTreeSet<(u16, String)>>());
    }
}
