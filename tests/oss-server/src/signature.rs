//! Signature V4 of OSS, as its documentation has it: pure functions, compared with the answers in the tests of the
//! official clients.

use crate::encoding::{encode, encode_path};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What starts an `Authorization` header and a string to sign.
pub(crate) const ALGORITHM: &str = "OSS4-HMAC-SHA256";
/// The end of every scope.
pub(crate) const REQUEST: &str = "aliyun_v4_request";
/// OSS signs no payloads.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What of a request is signed.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) method: String,
    pub(crate) bucket: String,
    pub(crate) key: Vec<u8>,
    /// Names and values of the query, decoded, without the signature.
    pub(crate) query: Vec<(Vec<u8>, Vec<u8>)>,
    /// All headers, with names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// The headers that are signed although they need not be, in lower case.
    pub(crate) additional: Vec<String>,
}

/// When and for where it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// Such as `20231216T162057Z`.
    pub(crate) time: String,
    pub(crate) region: String,
    pub(crate) product: String,
}

impl Scope {
    /// The day, such as `20231216`.
    pub(crate) fn day(&self) -> &str {
        self.time.get(..8).unwrap_or(&self.time)
    }

    /// As it stands in the credential.
    pub(crate) fn text(&self) -> String {
        format!("{}/{}/{}/{REQUEST}", self.day(), self.region, self.product)
    }
}

impl Signed {
    /// The signature that belongs to it.
    pub(crate) fn signature(&self, scope: &Scope, secret: &str) -> String {
        let text = self.text_to_sign(scope);
        let first = format!("aliyun_v4{secret}").into_bytes();
        let key = [scope.day(), &scope.region, &scope.product, REQUEST]
            .iter()
            .fold(first, |key, word| mac(&key, word.as_bytes()));
        hex::encode(mac(&key, text.as_bytes()))
    }

    /// The string to sign.
    pub(crate) fn text_to_sign(&self, scope: &Scope) -> String {
        let digest = hex::encode(Sha256::digest(self.canonical()));
        format!("{ALGORITHM}\n{}\n{}\n{digest}", scope.time, scope.text())
    }

    /// The canonical request.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        let mut additional = self.additional.clone();
        additional.sort();
        let mut path = format!("/{}/", self.bucket).into_bytes();
        path.extend(&self.key);
        let mut canonical = Vec::new();
        for line in [
            self.method.as_bytes(),
            encode_path(&path).as_bytes(),
            self.canonical_query().as_bytes(),
            &self.canonical_headers(),
            additional.join(";").as_bytes(),
        ] {
            canonical.extend(line);
            canonical.push(b'\n');
        }
        canonical.extend(UNSIGNED.as_bytes());
        canonical
    }

    fn canonical_query(&self) -> String {
        let encoded = self
            .query
            .iter()
            .map(|(name, value)| (encode(name), encode(value)));
        let mut pairs: Vec<_> = encoded.collect();
        pairs.sort();
        let pairs = pairs.into_iter().map(|(name, value)| match value.as_str() {
            "" => name,
            _ => format!("{name}={value}"),
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    fn canonical_headers(&self) -> Vec<u8> {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| self.is_signed(name))
            .collect();
        headers.sort();
        let mut lines = Vec::new();
        for (name, value) in headers {
            lines.extend(name.as_bytes());
            lines.push(b':');
            lines.extend(value.trim_ascii());
            lines.push(b'\n');
        }
        lines
    }

    fn is_signed(&self, name: &str) -> bool {
        name.starts_with("x-oss-")
            || ["content-type", "content-md5"].contains(&name)
            || self.additional.iter().any(|additional| additional == name)
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length will do, so this cannot fail.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|hmac| hmac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    const PRESIGNED: &str = "application/octet-stream";

    /// The request that the tests of the official Go and Python clients sign, with a content type.
    fn request(content_type: &str) -> Signed {
        let pairs = |pairs: &[(&str, &str)]| {
            let owned = |text: &str| text.as_bytes().to_vec();
            pairs
                .iter()
                .map(|(name, value)| (owned(name), owned(value)))
                .collect()
        };
        let headers = [
            ("x-oss-head1", "value"),
            ("abc", "value"),
            ("zabc", "value"),
            ("xyz", "value"),
            ("content-type", content_type),
        ];
        Signed {
            method: "PUT".to_owned(),
            bucket: "bucket".to_owned(),
            key: b"1234+-/123/1.txt".to_vec(),
            query: pairs(&[
                ("param1", "value1"),
                ("+param1", "value3"),
                ("|param1", "value4"),
                ("+param2", ""),
                ("|param2", ""),
                ("param2", ""),
            ]),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .to_vec(),
            additional: Vec::new(),
        }
    }

    fn scope(second: i64) -> Scope {
        let time = Timestamp::from_second(second).unwrap();
        Scope {
            time: time.strftime("%Y%m%dT%H%M%SZ").to_string(),
            region: "cn-hangzhou".to_owned(),
            product: "oss".to_owned(),
        }
    }

    fn in_header(second: i64) -> (Signed, Scope) {
        let mut request = request("text/plain");
        let scope = scope(second);
        request.headers.extend([
            ("x-oss-content-sha256".to_owned(), UNSIGNED.into()),
            ("x-oss-date".to_owned(), scope.time.clone().into_bytes()),
        ]);
        (request, scope)
    }

    fn presigned(second: i64, more: &[(&str, &str)]) -> (Signed, Scope) {
        let mut request = request(PRESIGNED);
        let scope = scope(second);
        let credential = format!("ak/{}", scope.text());
        let own = [
            ("x-oss-signature-version", ALGORITHM),
            ("x-oss-date", &scope.time),
            ("x-oss-expires", "599"),
            ("x-oss-credential", &credential),
        ];
        for (name, value) in own.iter().chain(more) {
            request
                .query
                .push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        }
        (request, scope)
    }

    #[test]
    fn signatures_in_headers_are_those_of_the_official_clients() {
        let (request, scope) = in_header(1_702_743_657);
        assert_eq!(
            request.signature(&scope, "sk"),
            "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"
        );
        let (mut request, scope) = in_header(1_702_784_856);
        request
            .headers
            .push(("x-oss-security-token".to_owned(), b"token".to_vec()));
        assert_eq!(
            request.signature(&scope, "sk"),
            "b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea"
        );
        let (mut request, scope) = in_header(1_702_747_512);
        request.additional = vec!["zabc".to_owned(), "abc".to_owned()];
        assert_eq!(
            request.signature(&scope, "sk"),
            "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"
        );
    }

    #[test]
    fn presigned_signatures_are_those_of_the_official_clients() {
        let (request, scope) = presigned(1_702_781_677, &[]);
        assert_eq!(
            request.signature(&scope, "sk"),
            "a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe"
        );
        let (request, scope) = presigned(1_702_785_388, &[("x-oss-security-token", "token")]);
        assert_eq!(
            request.signature(&scope, "sk"),
            "3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5"
        );
        let (mut request, scope) = presigned(1_702_783_809, &[("x-oss-additional-headers", "abc;zabc")]);
        request.additional = vec!["abc".to_owned(), "zabc".to_owned()];
        assert_eq!(
            request.signature(&scope, "sk"),
            "6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7"
        );
    }

    #[test]
    fn each_part_of_a_request_changes_its_signature() {
        let (original, scope) = in_header(1_702_743_657);
        let signature = original.signature(&scope, "sk");
        let changes: [fn(&mut Signed); 6] = [
            |request| request.method = "GET".to_owned(),
            |request| request.bucket = "bucket2".to_owned(),
            |request| request.key.push(b'a'),
            |request| request.query[0].1 = b"value2".to_vec(),
            |request| request.headers[0].1 = b"value2".to_vec(),
            |request| request.additional.push("xyz".to_owned()),
        ];
        for change in changes {
            let mut changed = original.clone();
            change(&mut changed);
            assert_ne!(changed.signature(&scope, "sk"), signature, "{changed:?}");
        }
        assert_ne!(original.signature(&scope, "sk2"), signature);
        let mut elsewhere = scope.clone();
        elsewhere.region = "cn-beijing".to_owned();
        assert_ne!(original.signature(&elsewhere, "sk"), signature);
    }
}
