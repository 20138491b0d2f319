//! Who asks, and whether they may: every request must carry a V4 signature, in its header or in its query.

use crate::refusal::Refusal;
use crate::request::Head;
use crate::settings::Settings;
use crate::signature::{ALGORITHM, REQUEST, Scope, Signed, UNSIGNED};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How far clocks may be apart.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);
/// How long a presigned URL may live.
const MAX_EXPIRES: i64 = 7 * 24 * 3600;

/// What a client claims.
struct Claim {
    access_key_id: String,
    scope: Scope,
    additional: Vec<String>,
    signature: String,
    token: Option<String>,
    /// How many seconds it is good for, if it is in a URL.
    expires: Option<i64>,
}

/// Refuses a request that is not signed as it must be.
pub(crate) fn verify(head: &Head, settings: &Settings, now: Timestamp) -> Result<(), Refusal> {
    let claim = claim(head)?;
    check_time(&claim, now)?;
    check_scope(&claim.scope, settings)?;
    check_identity(&claim, settings)?;
    check_signature(head, &claim, settings)
}

/// Finds the claim. There must be one, of the only version that is accepted.
fn claim(head: &Head) -> Result<Claim, Refusal> {
    let in_query = head.asks("x-oss-signature") || head.asks("x-oss-signature-version");
    match head.header("authorization") {
        Some(_) if in_query => Err(Refusal::invalid_argument(
            "Only one auth mechanism is allowed: the header or the query.",
        )),
        Some(header) => claim_in_header(head, header),
        None if in_query => claim_in_query(head),
        None if head.asks("OSSAccessKeyId") || head.asks("Signature") => Err(version_1()),
        None => Err(Refusal::forbidden(
            "AccessDenied",
            "Anonymous access is forbidden for this operation.",
        )
        .detail("0003-00000001")),
    }
}

fn version_1() -> Refusal {
    Refusal::forbidden(
        "AccessDenied",
        "This bucket accepts no signatures of version 1 or 2, only OSS4-HMAC-SHA256.",
    )
}

fn claim_in_header(head: &Head, header: &str) -> Result<Claim, Refusal> {
    let invalid = || Refusal::invalid_argument("Authorization header is invalid.");
    if header.starts_with("OSS ") || header.starts_with("OSS2 ") {
        return Err(version_1());
    }
    let rest = header.strip_prefix(ALGORITHM).ok_or_else(invalid)?;
    let rest = rest.strip_prefix(' ').ok_or_else(invalid)?;
    let (mut credential, mut additional, mut signature) = (None, None, None);
    for pair in rest.split(',') {
        let (name, value) = pair.trim().split_once('=').ok_or_else(invalid)?;
        let place = match name {
            "Credential" => &mut credential,
            "AdditionalHeaders" => &mut additional,
            "Signature" => &mut signature,
            _ => return Err(invalid()),
        };
        if place.replace(value).is_some() {
            return Err(invalid());
        }
    }
    if head.header("x-oss-content-sha256") != Some(UNSIGNED) {
        return Err(Refusal::invalid_argument(format!(
            "x-oss-content-sha256 must be {UNSIGNED}."
        )));
    }
    let time = head.header("x-oss-date").ok_or_else(no_date)?;
    let (access_key_id, scope) = credential_scope(credential.ok_or_else(invalid)?, time)?;
    Ok(Claim {
        access_key_id,
        scope,
        additional: additional_headers(head, additional)?,
        signature: signature.ok_or_else(invalid)?.to_owned(),
        token: head.header("x-oss-security-token").map(str::to_owned),
        expires: None,
    })
}

fn claim_in_query(head: &Head) -> Result<Claim, Refusal> {
    if head.required("x-oss-signature-version")? != ALGORITHM {
        return Err(Refusal::invalid_argument(format!(
            "x-oss-signature-version must be {ALGORITHM}."
        )));
    }
    let time = head.query("x-oss-date").ok_or_else(no_date)?;
    let (access_key_id, scope) = credential_scope(head.required("x-oss-credential")?, time)?;
    let expires = head.required("x-oss-expires")?;
    let expires = expires
        .parse()
        .ok()
        .filter(|seconds| (1..=MAX_EXPIRES).contains(seconds));
    let expires = expires.ok_or_else(|| {
        Refusal::invalid_argument(format!(
            "x-oss-expires must be between 1 and {MAX_EXPIRES} seconds."
        ))
    })?;
    Ok(Claim {
        access_key_id,
        scope,
        additional: additional_headers(head, head.query("x-oss-additional-headers"))?,
        signature: head.required("x-oss-signature")?.to_owned(),
        token: head.query("x-oss-security-token").map(str::to_owned),
        expires: Some(expires),
    })
}

fn no_date() -> Refusal {
    Refusal::forbidden("AccessDenied", "OSS authentication requires a valid Date.")
}

/// Takes `<access key id>/<day>/<region>/<product>/aliyun_v4_request` apart.
fn credential_scope(credential: &str, time: &str) -> Result<(String, Scope), Refusal> {
    let words: Vec<_> = credential.split('/').collect();
    let [access_key_id, day, region, product, REQUEST] = words[..] else {
        return Err(Refusal::invalid_argument(format!(
            "The credential must be <access key id>/<date>/<region>/<product>/{REQUEST}."
        )));
    };
    let scope = Scope {
        time: time.to_owned(),
        region: region.to_owned(),
        product: product.to_owned(),
    };
    if scope.day() != day {
        return Err(Refusal::invalid_argument(
            "Invalid signing date in Authorization header.",
        ));
    }
    Ok((access_key_id.to_owned(), scope))
}

/// The headers that are signed on top. An empty list is refused, as OSS does: it must be left out.
fn additional_headers(head: &Head, list: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let names: Vec<_> = list.split(';').map(str::to_owned).collect();
    for name in &names {
        let there = head.headers.iter().any(|(own, _)| own == name);
        if !there || names.iter().filter(|other| *other == name).count() > 1 {
            return Err(Refusal::invalid_argument(
                "Each of the additional headers must be in the request, written in lower case and once; without any, \
                 AdditionalHeaders is left out.",
            )
            .field("ArgumentName", "AdditionalHeaders")
            .field("ArgumentValue", list));
        }
    }
    Ok(names)
}

fn check_time(claim: &Claim, now: Timestamp) -> Result<(), Refusal> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", &claim.scope.time).ok();
    let time = time.and_then(|time| time.to_zoned(TimeZone::UTC).ok());
    let time = time.ok_or_else(no_date)?.timestamp();
    let ahead = time.duration_since(now);
    // A URL may have been made long ago, but not in the future.
    let skewed = match claim.expires {
        Some(_) => ahead > MAX_SKEW,
        None => ahead.abs() > MAX_SKEW,
    };
    if skewed {
        return Err(Refusal::forbidden(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )
        .detail("0002-00000504")
        .field("MaxAllowedSkewMilliseconds", MAX_SKEW.as_millis().to_string())
        .field("RequestTime", time.to_string())
        .field("ServerTime", now.to_string()));
    }
    if let Some(expires) = claim.expires
        && now.duration_since(time) > SignedDuration::from_secs(expires)
    {
        return Err(Refusal::forbidden("AccessDenied", "Request has expired.")
            .field("Expires", expires.to_string())
            .field("ServerTime", now.to_string()));
    }
    Ok(())
}

fn check_scope(scope: &Scope, settings: &Settings) -> Result<(), Refusal> {
    if scope.region != settings.region {
        return Err(
            Refusal::invalid_argument("Invalid signing region in Authorization header.")
                .detail("0002-00000226"),
        );
    }
    if scope.product != "oss" {
        return Err(Refusal::invalid_argument(
            "Invalid signing product in Authorization header.",
        ));
    }
    Ok(())
}

/// Whether the access key is known, and comes with its token if it is a temporary one.
fn check_identity(claim: &Claim, settings: &Settings) -> Result<(), Refusal> {
    let unknown = |detail| {
        Refusal::forbidden(
            "InvalidAccessKeyId",
            "The OSS Access Key Id you provided does not exist in our records.",
        )
        .detail(detail)
        .field("OSSAccessKeyId", &claim.access_key_id)
    };
    let known = claim.access_key_id == settings.access_key_id;
    match (&settings.security_token, &claim.token) {
        (None, None) | (Some(_), Some(_)) if !known => Err(unknown("0002-00000902")),
        (None, None) => Ok(()),
        (Some(right), Some(token)) if right == token => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::forbidden(
            "InvalidSecurityToken",
            "The security token you provided is invalid.",
        )
        .detail("0002-00000004")),
        // A temporary access key is none without its token, and a permanent one is none with a token.
        (Some(_), None) => Err(unknown("0002-00000902")),
        (None, Some(_)) => Err(unknown("0002-00000002")),
    }
}

fn check_signature(head: &Head, claim: &Claim, settings: &Settings) -> Result<(), Refusal> {
    let query = head.query.iter().filter(|(name, _)| name != "x-oss-signature");
    let signed = Signed {
        method: head.method.to_string(),
        bucket: head.bucket.clone(),
        key: head.key.clone().into_bytes(),
        query: query
            .map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()))
            .collect(),
        headers: head.headers.clone(),
        additional: claim.additional.clone(),
    };
    if signed.signature(&claim.scope, &settings.secret_access_key) == claim.signature {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and \
         signing method.",
    )
    .detail("0002-00000201")
    .field("OSSAccessKeyId", &claim.access_key_id)
    .field("SignatureProvided", &claim.signature)
    .field("StringToSign", signed.text_to_sign(&claim.scope))
    .field("CanonicalRequest", String::from_utf8_lossy(&signed.canonical())))
}
