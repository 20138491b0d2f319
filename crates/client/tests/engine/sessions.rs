//! Tokens of a session are exchanged in time, once, and for all who share them.

use crate::QUICK;
use crate::server::{NEXT_REFRESH, REFRESH, Server, TOKEN};
use client::session::{Keeper, Tokens};
use client::{Api, Token};
use futures::future::join_all;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};

/// What another process would see.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Option<Tokens>>>);

impl Shared {
    fn tokens(&self) -> Option<Tokens> {
        self.0.lock().unwrap().clone()
    }
}

impl Keeper for Shared {
    fn load(&self) -> Option<Tokens> {
        self.tokens()
    }

    fn keep(&self, tokens: &Tokens) {
        *self.0.lock().unwrap() = Some(tokens.clone());
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
    kept.keep(&tokens);
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
    kept.keep(&tokens(TOKEN, Timestamp::MAX, NEXT_REFRESH));
    api.account().await.unwrap();
    assert_eq!(server.count("POST sessions/refresh"), 0);
}
