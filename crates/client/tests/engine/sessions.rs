//! Tokens of a session are exchanged in time, once, and for all who share them.

use crate::QUICK;
use crate::server::Server;
use crate::world::{Fault, NEXT_REFRESH, REFRESH, TOKEN};
use client::session::{Keeper, Tokens};
use client::{Api, ApiError, Token};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What another process would see.
#[derive(Clone, Default)]
struct Shared {
    kept: Arc<Mutex<Option<Tokens>>>,
    /// Nothing can be kept any more.
    is_full: Arc<AtomicBool>,
}

impl Shared {
    fn tokens(&self) -> Option<Tokens> {
        self.kept.lock().unwrap().clone()
    }

    fn put(&self, tokens: Tokens) {
        *self.kept.lock().unwrap() = Some(tokens);
    }
}

impl Keeper for Shared {
    fn load(&self) -> Option<Tokens> {
        self.tokens()
    }

    fn keep(&self, tokens: &Tokens, before: &[Token]) {
        let mut kept = self.kept.lock().unwrap();
        let is_before = kept.as_ref().is_some_and(|kept| before.contains(&kept.refresh));
        if is_before && !self.is_full.load(Ordering::SeqCst) {
            *kept = Some(tokens.clone());
        }
    }
}

fn tokens(access: &str, good_until: Timestamp, refresh: &str) -> Tokens {
    Tokens {
        access: Token::new(access),
        good_until,
        refresh: Token::new(refresh),
    }
}

fn api(server: &Server, tokens: Tokens, kept: &Shared) -> Api {
    kept.put(tokens.clone());
    let api = Api::new(&server.base()).unwrap().with_retry(QUICK);
    api.with_session(tokens, Box::new(kept.clone()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ends_is_exchanged_once_for_all_calls() {
    let (server, kept) = (Server::start().await, Shared::default());
    let api = api(&server, tokens("old", Timestamp::now(), REFRESH), &kept);
    for account in join_all((0..5).map(|_| api.account())).await {
        account.unwrap();
    }
    assert_eq!(server.count("POST sessions/refresh"), 1);
    let kept = kept.tokens().unwrap();
    assert_eq!(
        (kept.access, kept.refresh),
        (Token::new(TOKEN), Token::new(NEXT_REFRESH))
    );
    assert!(kept.good_until > Timestamp::now());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_refused_early_is_exchanged_once() {
    let (server, kept) = (Server::start().await, Shared::default());
    let first = api(&server, tokens("refused", Timestamp::MAX, REFRESH), &kept);
    first.account().await.unwrap();
    // And when nothing is to be had for it, that is the end.
    let over = api(
        &server,
        tokens("refused", Timestamp::MAX, "worthless"),
        &Shared::default(),
    );
    let error = over.account().await.unwrap_err();
    assert!(error.is("unauthorized"), "{error}");
    assert_eq!(server.count("POST sessions/refresh"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_has_exchanged_is_taken_over() {
    let (server, kept) = (Server::start().await, Shared::default());
    let api = api(&server, tokens("old", Timestamp::now(), "exchanged"), &kept);
    kept.put(tokens(TOKEN, Timestamp::MAX, NEXT_REFRESH));
    api.account().await.unwrap();
    assert_eq!(server.count("POST sessions/refresh"), 0);
}

/// By the clock, which was set back in between, the others' tokens end sooner than those that are here. To exchange these once
/// more would be taken for a theft.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_newer_is_not_told_by_the_clock() {
    let (server, kept) = (Server::start().await, Shared::default());
    let api = api(&server, tokens("old", Timestamp::MAX, REFRESH), &kept);
    let soon = Timestamp::now() + SignedDuration::from_mins(15);
    kept.put(tokens(TOKEN, soon, NEXT_REFRESH));
    api.account().await.unwrap();
    assert_eq!(server.count("POST sessions/refresh"), 0);
}

/// The same clock: what is exchanged now ends sooner than what it was exchanged for, and is kept all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_exchanged_is_kept_whatever_the_clock_says() {
    let (server, kept) = (Server::start().await, Shared::default());
    let api = api(&server, tokens("refused", Timestamp::MAX, REFRESH), &kept);
    api.account().await.unwrap();
    assert_eq!(kept.tokens().unwrap().refresh, Token::new(NEXT_REFRESH));
}

/// Somebody else has signed in here while a command was running.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_exchanged_does_not_take_the_place_of_another_session() {
    let (server, kept) = (Server::start().await, Shared::default());
    let api = api(&server, tokens("old", Timestamp::now(), REFRESH), &kept);
    server.fail("POST sessions/refresh", Fault::Slow(Duration::from_millis(300)));
    let call = tokio::spawn(async move { api.account().await });
    server.seen("POST sessions/refresh").await;
    let theirs = tokens("theirs", Timestamp::now(), "theirs");
    kept.put(theirs.clone());
    call.await.unwrap().unwrap();
    assert_eq!(kept.tokens(), Some(theirs));
}

/// A token that no header can have is an error, and not a call without a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_cannot_be_sent_makes_no_call() {
    let server = Server::start().await;
    let api = Api::new(&server.base())
        .unwrap()
        .with_token(Token::new("t0k3n\n"));
    let error = api.account().await.unwrap_err();
    assert!(matches!(error, ApiError::Token(_)), "{error}");
    assert!(server.world().log.is_empty());
}

/// A disk that is full: what is kept is worth nothing, and what is here is good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_kept_is_not_given_up_for_what_was_kept_before() {
    let (server, kept) = (Server::start().await, Shared::default());
    let api = api(&server, tokens("old", Timestamp::now(), REFRESH), &kept);
    kept.is_full.store(true, Ordering::SeqCst);
    api.account().await.unwrap();
    server.fail("GET account", Fault::Answer(401, "unauthorized"));
    // The token is refused, so another is wanted: for the refresh token that is here, which nobody has exchanged.
    let error = api.account().await.unwrap_err();
    assert!(error.is("unauthorized"), "{error}");
    let exchanged = server.world().exchanged.clone();
    assert_eq!(exchanged, [REFRESH, NEXT_REFRESH]);
}

/// Somebody presses Ctrl-C when the refresh token is on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_is_made_to_its_end_and_kept_though_nobody_waits() {
    let (server, kept) = (Server::start().await, Shared::default());
    let api = api(&server, tokens("old", Timestamp::now(), REFRESH), &kept);
    server.fail("POST sessions/refresh", Fault::Slow(Duration::from_millis(300)));
    let call = tokio::spawn({
        let api = api.clone();
        async move { api.account().await }
    });
    server.seen("POST sessions/refresh").await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    api.settled().await;
    assert_eq!(kept.tokens().unwrap().refresh, Token::new(NEXT_REFRESH));
}

/// The answer got lost, and the session is over all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_is_done_when_it_was_done() {
    let server = Server::start().await;
    let api = api(
        &server,
        tokens(TOKEN, Timestamp::MAX, REFRESH),
        &Shared::default(),
    );
    server.fail("DELETE sessions/current", Fault::LoseAnswer);
    api.end_session().await.unwrap();
    assert_eq!(server.count("DELETE sessions/current"), 2);
    // But one that was over before was ended by somebody else.
    let error = api.end_all_sessions().await.unwrap_err();
    assert!(error.is("unauthorized"), "{error}");
}
