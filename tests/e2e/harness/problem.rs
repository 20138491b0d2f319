//! What every refusal must look like.

use super::http::HttpResponse;
use super::stack::stack;
use serde_json::Value;

impl HttpResponse {
    /// Panics unless this is a problem document with this status and code. Returns the document.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let document = self.any_problem();
        assert_eq!(
            (self.status, document["code"].as_str()),
            (status, Some(code)),
            "{document}"
        );
        document
    }

    /// The same of what the gateway itself answers. LocalStack takes over the status for that, and nothing else.
    #[track_caller]
    pub(crate) fn gateway_problem(&self, status: u16, code: &str) {
        if stack().is_localstack() {
            assert_eq!(self.status, status, "{}", self.text());
            assert!(self.json()["message"].is_string(), "{}", self.text());
        } else {
            self.problem(status, code);
        }
    }

    /// Stops unless this is a problem document that blames the request.
    #[track_caller]
    pub(crate) fn any_problem(&self) -> Value {
        assert!(
            (400..500).contains(&self.status),
            "{}: {}",
            self.status,
            self.text()
        );
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}: {}",
            self.status,
            self.text()
        );
        let document = self.json();
        assert_eq!(document["status"], self.status, "{document}");
        let code = document["code"].as_str().unwrap_or_default();
        assert_eq!(
            document["type"],
            format!("https://longshore.dev/problems/{code}"),
            "{document}"
        );
        for member in ["title", "detail", "message"] {
            assert!(
                document[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member}: {document}"
            );
        }
        assert!(!code.is_empty(), "{document}");
        document
    }
}
