//! Which operation a request asks for, and which of its parameters and headers mean something.

use http::Method;

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CreateMultipartUpload,
    DeleteObject,
    DeleteObjects,
    GetObject,
    HeadBucket,
    HeadObject,
    ListMultipartUploads,
    ListObjectsV2,
    ListParts,
    PutObject,
    UploadPart,
    /// Another one.
    Unknown,
}

struct Rule {
    operation: Operation,
    name: &'static str,
    method: Method,
    of_object: bool,
    /// The parameters that make it this operation.
    by: &'static [&'static str],
    /// The other ones that it may have.
    parameters: &'static [&'static str],
    /// The headers that it may have, of those that change what is done.
    headers: &'static [&'static str],
}

const CHECKSUMS: [&str; 3] = [
    "x-amz-checksum-crc32",
    "x-amz-checksum-sha256",
    "x-amz-sdk-checksum-algorithm",
];

/// The first that fits counts.
static RULES: [Rule; 13] = [
    Rule {
        operation: Operation::HeadBucket,
        name: "HeadBucket",
        method: Method::HEAD,
        of_object: false,
        by: &[],
        parameters: &[],
        headers: &[],
    },
    Rule {
        operation: Operation::ListMultipartUploads,
        name: "ListMultipartUploads",
        method: Method::GET,
        of_object: false,
        by: &["uploads"],
        parameters: &["key-marker", "max-uploads", "prefix", "upload-id-marker"],
        headers: &[],
    },
    Rule {
        operation: Operation::ListObjectsV2,
        name: "ListObjectsV2",
        method: Method::GET,
        of_object: false,
        by: &["list-type"],
        parameters: &["continuation-token", "max-keys", "prefix", "start-after"],
        headers: &[],
    },
    Rule {
        operation: Operation::DeleteObjects,
        name: "DeleteObjects",
        method: Method::POST,
        of_object: false,
        by: &["delete"],
        parameters: &[],
        headers: &CHECKSUMS,
    },
    Rule {
        operation: Operation::HeadObject,
        name: "HeadObject",
        method: Method::HEAD,
        of_object: true,
        by: &[],
        parameters: &[],
        headers: &["x-amz-checksum-mode"],
    },
    Rule {
        operation: Operation::ListParts,
        name: "ListParts",
        method: Method::GET,
        of_object: true,
        by: &["uploadId"],
        parameters: &["max-parts", "part-number-marker"],
        headers: &[],
    },
    Rule {
        operation: Operation::GetObject,
        name: "GetObject",
        method: Method::GET,
        of_object: true,
        by: &[],
        parameters: &["response-content-disposition", "response-content-type"],
        headers: &["range", "x-amz-checksum-mode"],
    },
    Rule {
        operation: Operation::UploadPart,
        name: "UploadPart",
        method: Method::PUT,
        of_object: true,
        by: &["partNumber", "uploadId"],
        parameters: &[],
        headers: &CHECKSUMS,
    },
    Rule {
        operation: Operation::PutObject,
        name: "PutObject",
        method: Method::PUT,
        of_object: true,
        by: &[],
        parameters: &[],
        headers: &[
            CHECKSUMS[0],
            CHECKSUMS[1],
            CHECKSUMS[2],
            "if-none-match",
            METADATA,
        ],
    },
    Rule {
        operation: Operation::CreateMultipartUpload,
        name: "CreateMultipartUpload",
        method: Method::POST,
        of_object: true,
        by: &["uploads"],
        parameters: &[],
        headers: &["x-amz-checksum-algorithm", "x-amz-checksum-type", METADATA],
    },
    Rule {
        operation: Operation::CompleteMultipartUpload,
        name: "CompleteMultipartUpload",
        method: Method::POST,
        of_object: true,
        by: &["uploadId"],
        parameters: &[],
        headers: &[
            "if-none-match",
            "x-amz-checksum-sha256",
            "x-amz-checksum-type",
            "x-amz-mp-object-size",
        ],
    },
    Rule {
        operation: Operation::AbortMultipartUpload,
        name: "AbortMultipartUpload",
        method: Method::DELETE,
        of_object: true,
        by: &["uploadId"],
        parameters: &[],
        headers: &[],
    },
    Rule {
        operation: Operation::DeleteObject,
        name: "DeleteObject",
        method: Method::DELETE,
        of_object: true,
        by: &[],
        parameters: &[],
        headers: &[],
    },
];

/// What the names of headers begin with that are kept with the object.
pub(crate) const METADATA: &str = "x-amz-meta-";

/// The headers of every request. What is signed by header is not checked.
const COMMON: [&str; 4] = [
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
];

/// Headers that change what is done, besides `x-amz-*`.
const MEANINGFUL: [&str; 11] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];

/// The operation with this method, of a bucket or of an object, with parameters of these names.
pub(crate) fn find(method: &Method, of_object: bool, names: &[&str]) -> Operation {
    let is_of_all = |name: &str| name == "x-id" || name.starts_with("X-Amz-");
    let fits = |rule: &&Rule| {
        rule.method == *method
            && rule.of_object == of_object
            && rule.by.iter().all(|name| names.contains(name))
            && names
                .iter()
                .all(|name| rule.by.contains(name) || rule.parameters.contains(name) || is_of_all(name))
    };
    let rule = RULES.iter().find(fits);
    rule.map_or(Operation::Unknown, |rule| rule.operation)
}

impl Operation {
    fn rule(self) -> Option<&'static Rule> {
        RULES.iter().find(|rule| rule.operation == self)
    }

    /// Its name in AWS's documentation.
    pub(crate) fn name(self) -> &'static str {
        self.rule().map_or("Unknown", |rule| rule.name)
    }

    /// Whether a header of this name, in lower case, is understood, or means nothing.
    pub(crate) fn takes(self, header: &str) -> bool {
        let means_something = header.starts_with("x-amz-") || MEANINGFUL.contains(&header);
        if !means_something || COMMON.contains(&header) {
            return true;
        }
        let known = self.rule().map_or(&[][..], |rule| rule.headers);
        known.contains(&header) || (known.contains(&METADATA) && header.starts_with(METADATA))
    }
}
