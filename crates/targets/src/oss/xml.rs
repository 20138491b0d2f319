//! What OSS says in XML, and what is said to it.

use serde::{Deserialize, Serialize};

/// What OSS answers, by the name of its outermost element. What is not there is empty.
#[derive(Debug, Deserialize)]
pub(super) enum Document {
    Error(Error),
    InitiateMultipartUploadResult(Begun),
    ListMultipartUploadsResult(List),
}

impl Document {
    /// `None` when it is no XML, or none of these.
    pub(super) fn read(xml: &[u8]) -> Option<Self> {
        let xml = std::str::from_utf8(xml).ok()?;
        quick_xml::de::from_str(xml).ok()
    }
}

/// A refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Error {
    pub(super) code: String,
    pub(super) message: String,
}

/// A multipart upload that was begun.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Begun {
    pub(super) upload_id: String,
}

/// A page of the list of multipart uploads.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct List {
    #[serde(rename = "Upload")]
    pub(super) uploads: Vec<Upload>,
    pub(super) is_truncated: bool,
    pub(super) next_key_marker: String,
    pub(super) next_upload_id_marker: String,
}

/// A multipart upload.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) upload_id: String,
}

/// What a multipart upload is completed with.
#[derive(Debug, Serialize)]
pub(super) struct CompleteMultipartUpload {
    #[serde(rename = "Part")]
    pub(super) parts: Vec<Part>,
}

/// A part of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Part {
    pub(super) part_number: u32,
    #[serde(rename = "ETag")]
    pub(super) etag: String,
}

impl CompleteMultipartUpload {
    pub(super) fn write(&self) -> Result<String, quick_xml::SeError> {
        quick_xml::se::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let xml = b"<?xml version=\"1.0\"?>\n<ListMultipartUploadsResult xmlns=\"x\">\n  <Bucket>b</Bucket>
  <NextKeyMarker> p/a&amp;b&#33;&quot;<![CDATA[<]]></NextKeyMarker><IsTruncated>true</IsTruncated>
  <Upload><Key>k 1</Key><UploadId>1</UploadId><Initiated>x</Initiated></Upload>
  <Upload><Key>k 2</Key><UploadId>2</UploadId></Upload>\n  <CommonPrefixes><Prefix>p</Prefix></CommonPrefixes>
</ListMultipartUploadsResult>\n";
        let Some(Document::ListMultipartUploadsResult(list)) = Document::read(xml) else {
            panic!("not a list");
        };
        let uploads: Vec<_> = list
            .uploads
            .iter()
            .map(|u| (u.key.as_str(), u.upload_id.as_str()))
            .collect();
        assert_eq!(uploads, [("k 1", "1"), ("k 2", "2")]);
        // Spaces are a part of keys.
        assert_eq!(list.next_key_marker, " p/a&b!\"<");
        assert!(list.is_truncated && list.next_upload_id_marker.is_empty());
        let empty = Document::read(b"<ListMultipartUploadsResult/>");
        assert!(matches!(empty, Some(Document::ListMultipartUploadsResult(list)) if list.uploads.is_empty()));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for bad in [
            &b"<Error>"[..],
            b"<Error></Code>",
            b"<Error><Code>&unknown;</Code></Error>",
            b"<Code>NoSuchKey</Code>",
            b"<html><body/></html>",
            b"{}",
            b"",
            b"\xff",
        ] {
            assert!(Document::read(bad).is_none(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn a_completion_is_written() {
        let part = |part_number, etag: &str| Part {
            part_number,
            etag: etag.to_owned(),
        };
        let completion = CompleteMultipartUpload {
            parts: vec![part(1, "\"a\""), part(2, "\"b<\"")],
        };
        assert_eq!(
            completion.write().unwrap(),
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>\
             <Part><PartNumber>2</PartNumber><ETag>\"b&lt;\"</ETag></Part></CompleteMultipartUpload>"
        );
    }
}
