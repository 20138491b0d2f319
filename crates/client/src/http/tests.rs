use super::*;
use wire::file;

fn http(base: &str) -> Result<Http, ApiError> {
    Http::new(base, Arc::new(network::internet::Internet::new()?))
}

fn url(base: &str, mut call: Call<'_>, query: &[(&'static str, &str)]) -> String {
    for (name, value) in query {
        call = call.query(name, Some(value));
    }
    http(base).unwrap().url(&call).to_string()
}

#[test]
fn paths_go_below_the_stage_and_are_encoded() {
    let base = "http://127.0.0.1:4566/_aws/execute-api/abc/prod";
    assert_eq!(
        url(base, Call::at::<file::Get>("a/b?c"), &[]),
        format!("{base}/v1/files/a%2Fb%3Fc")
    );
    assert_eq!(
        url(&format!("{base}/"), Call::to::<file::List>(), &[]),
        format!("{base}/v1/files")
    );
    assert_eq!(
        url("https://h", Call::to::<file::List>(), &[("name", "a&b +")]),
        "https://h/v1/files?name=a%26b+%2B"
    );
}

#[test]
fn only_plain_http_to_elsewhere_is_exposed() {
    let exposed = |base| http(base).unwrap().is_exposed();
    assert!(exposed("http://example.com/x") && exposed("http://10.0.0.1:4566"));
    for safe in [
        "https://example.com",
        "http://127.0.0.1:4566/x",
        "http://localhost:1",
        "http://[::1]:1",
    ] {
        assert!(!exposed(safe), "{safe}");
    }
}

/// A lost answer is noticed, and asked for again however often, before the server takes that for a theft.
#[test]
fn an_exchange_is_tried_again_in_time() {
    for retry in [backoff::CALL, backoff::TRANSFER] {
        let waits: Vec<_> = retry.build().collect();
        let tries = u32::try_from(waits.len() + 1).unwrap();
        let longest = EXCHANGE_TIMEOUT * tries + waits.iter().sum::<Duration>();
        assert!(longest < domain::session::GRACE.unsigned_abs(), "{longest:?}");
    }
}

#[test]
fn a_wrong_address_is_told() {
    for bad in ["", "localhost:4566", "ftp://host", "http://"] {
        assert!(matches!(http(bad), Err(ApiError::Address { .. })), "{bad:?}");
    }
}
