//! A client that tries too often has to wait, and no other.
//!
//! The functions run alone here, with limits that can be reached, and with the addresses that a gateway would see.

use crate::harness::bytes::fresh;
use crate::harness::person::{PASSWORD, Person, anonymous, invitation_if_needed, new_username};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, from_address, http_event, new_address, with_header, with_query};
use crate::harness::wait::within_one_hour;
use serde_json::{Value, json};
use std::time::Duration;

/// What a function answered.
struct Answered {
    status: u64,
    retry_after: Option<u64>,
    body: Value,
}

impl Answered {
    fn of(answer: &Value) -> Self {
        let header = &answer["multiValueHeaders"]["retry-after"][0];
        let body = answer["body"].as_str().unwrap_or_default();
        Self {
            status: answer["statusCode"].as_u64().unwrap(),
            retry_after: header.as_str().map(|text| text.parse().unwrap()),
            body: serde_json::from_str(body).unwrap_or_default(),
        }
    }

    /// Refused, with a wait of so many seconds.
    #[track_caller]
    fn has_to_wait(&self, seconds: std::ops::RangeInclusive<u64>) {
        assert_eq!(
            (self.status, &self.body["code"]),
            (429, &json!("too_many_requests")),
            "{}",
            self.body
        );
        assert!(
            self.retry_after.is_some_and(|wait| seconds.contains(&wait)),
            "{:?}",
            self.retry_after
        );
    }
}

/// A function that signs in.
struct SignIn(Sandbox);

impl SignIn {
    async fn with(limits: &[(&str, &str)]) -> Self {
        Self(Sandbox::start_with("session-create", |_| Act::Pass, limits).await)
    }

    async fn attempt(&mut self, address: &str, username: &str, password: &str) -> Answered {
        let body = json!({ "username": username, "password": password });
        let event = http_event("session-create", None, "", Some(&body));
        Answered::of(&self.0.invoke(&from_address(event, address)).await.unwrap())
    }
}

#[tokio::test]
async fn guesses_have_to_wait_longer_each_time_and_only_where_they_are_made() {
    let person = Person::not_signed_in().await;
    let mut sign_in = SignIn::with(&[]).await;
    let (thief, owner) = (new_address(), new_address());
    let mut looked_at = 0;
    let waits = wait_longer(async || {
        let answer = sign_in.attempt(&thief, &person.username, "a wrong guess").await;
        looked_at += u64::from(answer.status == 401);
        answer.retry_after
    })
    .await;
    assert!(looked_at >= 10, "{looked_at} were free");
    let longest = *waits.last().unwrap();
    sign_in
        .attempt(&thief, &person.username, PASSWORD)
        .await
        .has_to_wait(1..=longest);
    // The owner, elsewhere, does not notice; and other names are others' business.
    assert_eq!(
        sign_in.attempt(&owner, &person.username, PASSWORD).await.status,
        201
    );
    let other = Person::not_signed_in().await;
    assert_eq!(
        sign_in.attempt(&thief, &other.username, PASSWORD).await.status,
        201
    );
    // A right password in time resets the count.
    tokio::time::sleep(Duration::from_secs(longest)).await;
    assert_eq!(
        sign_in.attempt(&thief, &person.username, PASSWORD).await.status,
        201
    );
    for _ in 0..10 {
        assert_eq!(
            sign_in
                .attempt(&thief, &person.username, "a wrong guess")
                .await
                .status,
            401
        );
    }
}

/// Guesses, and waits as it is told, until the wait is so long that the next call surely comes in it however slow the machine
/// is. Returns the waits.
async fn wait_longer(mut guess: impl AsyncFnMut() -> Option<u64>) -> Vec<u64> {
    let mut waits: Vec<u64> = Vec::new();
    for _ in 0..40 {
        let Some(wait) = guess().await else {
            continue;
        };
        assert!(waits.last().is_none_or(|last| *last <= wait), "{waits:?}, {wait}");
        waits.push(wait);
        if wait > 4 {
            return waits;
        }
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
    panic!("never refused for long: {waits:?}");
}

/// All at once they are not more than one after the other.
#[tokio::test]
async fn guesses_that_come_at_once_are_counted_before_anybody_looks_at_them() {
    let person = Person::not_signed_in().await;
    let thief = new_address();
    let guess = || async {
        let mut sign_in = SignIn::with(&[]).await;
        sign_in
            .attempt(&thief, &person.username, "a wrong guess")
            .await
            .status
    };
    let answers = futures::future::join_all((0..24).map(|_| guess())).await;
    let looked_at = answers.iter().filter(|status| **status == 401).count();
    assert!(looked_at <= 14, "{answers:?}");
    assert!(
        answers.iter().all(|status| [401, 429].contains(status)),
        "{answers:?}"
    );
}

#[tokio::test]
async fn strangers_cannot_keep_an_owner_out_where_he_is_known() {
    within_one_hour(async || {
        let person = Person::not_signed_in().await;
        let mut sign_in = SignIn::with(&[("SIGN_INS_PER_HOUR_AND_ACCOUNT", "4")]).await;
        let home = new_address();
        assert_eq!(
            sign_in.attempt(&home, &person.username, PASSWORD).await.status,
            201
        );
        for _ in 0..3 {
            let stranger = new_address();
            assert_eq!(
                sign_in
                    .attempt(&stranger, &person.username, "a wrong guess")
                    .await
                    .status,
                401
            );
        }
        // Many strangers are one, whatever they know.
        sign_in
            .attempt(&new_address(), &person.username, PASSWORD)
            .await
            .has_to_wait(1..=3600);
        for _ in 0..3 {
            assert_eq!(
                sign_in.attempt(&home, &person.username, PASSWORD).await.status,
                201
            );
        }
    })
    .await;
}

/// Where an account was created its owner is known, before they sign in for the first time.
#[tokio::test]
async fn an_owner_is_known_where_he_signed_up() {
    within_one_hour(async || {
        let (home, username) = (new_address(), new_username());
        let mut sign_up = Sandbox::start("account-create", |_| Act::Pass).await;
        let invitation = invitation_if_needed().await;
        let body = json!({ "username": username, "password": PASSWORD, "invitation": invitation });
        let event = http_event("account-create", None, "", Some(&body));
        let made = Answered::of(&sign_up.invoke(&from_address(event, &home)).await.unwrap());
        assert_eq!(made.status, 201);
        let mut sign_in = SignIn::with(&[("SIGN_INS_PER_HOUR_AND_ACCOUNT", "1")]).await;
        let stranger = new_address();
        assert_eq!(
            sign_in
                .attempt(&stranger, &username, "a wrong guess")
                .await
                .status,
            401
        );
        sign_in
            .attempt(&new_address(), &username, PASSWORD)
            .await
            .has_to_wait(1..=3600);
        assert_eq!(sign_in.attempt(&home, &username, PASSWORD).await.status, 201);
    })
    .await;
}

#[tokio::test]
async fn one_source_cannot_try_many_names() {
    within_one_hour(async || {
        let mut sign_in = SignIn::with(&[("SIGN_INS_PER_HOUR_AND_SOURCE", "3")]).await;
        let (here, there) = (new_address(), new_address());
        for _ in 0..3 {
            assert_eq!(
                sign_in.attempt(&here, &new_username(), PASSWORD).await.status,
                401
            );
        }
        sign_in.0.proxy.forget();
        sign_in
            .attempt(&here, &new_username(), PASSWORD)
            .await
            .has_to_wait(1..=3600);
        // And nothing is written down about names that nobody looks at.
        assert_eq!(sign_in.0.proxy.operations(), ["DynamoDB UpdateItem"]);
        assert_eq!(
            sign_in.attempt(&there, &new_username(), PASSWORD).await.status,
            401
        );
    })
    .await;
}

/// A name that nobody has is answered like one that somebody has, by the same words after the same calls.
#[tokio::test]
async fn nobody_can_tell_which_names_there_are_by_signing_in() {
    let (here, nobody) = (new_address(), new_username());
    let somebody = Person::not_signed_in().await.username;
    let mut told = Vec::new();
    for name in [&nobody, &somebody] {
        let mut sign_in = SignIn::with(&[]).await;
        let mut answers = Vec::new();
        for _ in 0..9 {
            let answer = sign_in.attempt(&here, name, "a wrong guess").await;
            answers.push((answer.status, answer.retry_after, answer.body));
        }
        told.push((answers, sign_in.0.proxy.operations()));
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].1.len() > 30, "{:?}", told[0].1);
}

#[tokio::test]
async fn one_source_cannot_make_many_accounts() {
    within_one_hour(async || {
        let limit = [("ACCOUNTS_PER_HOUR_AND_SOURCE", "2"), ("SIGN_UP", "open")];
        let mut function = Sandbox::start_with("account-create", |_| Act::Pass, &limit).await;
        let mut sign_up = async |address: &str| {
            let body = json!({ "username": new_username(), "password": PASSWORD });
            let event = from_address(http_event("account-create", None, "", Some(&body)), address);
            // What a client says of where it comes from counts for nothing.
            let event = with_header(event, "X-Forwarded-For", &new_address());
            Answered::of(&function.invoke(&event).await.unwrap())
        };
        let (here, there) = (new_address(), new_address());
        // The same network.
        let next_door = here.replace("::1", "::2");
        assert_eq!(sign_up(&here).await.status, 201);
        assert_eq!(sign_up(&next_door).await.status, 201);
        sign_up(&here).await.has_to_wait(1..=3600);
        assert_eq!(sign_up(&there).await.status, 201);
    })
    .await;
}

/// Uploads, folders, copies and tokens are counted together; what is replayed makes nothing and costs nothing.
#[tokio::test]
async fn one_account_cannot_make_without_end() {
    within_one_hour(async || {
        let (person, other) = (Person::not_signed_in().await, Person::not_signed_in().await);
        let upload = json!({ "name": "a", "size": 1 });
        let folder = json!({ "name": "b" });
        let token = json!({ "name": "c", "scopes": ["read"], "expires_in_days": 1 });
        let file = other.store("d", None, &fresh(1)).await.file.id;
        let copy = json!({ "name": "e" });
        let ask = async |function: &str, person: &Person, body: &Value| {
            let limit = [("CREATES_PER_HOUR", "2")];
            let mut sandbox = Sandbox::start_with(function, |_| Act::Pass, &limit).await;
            let id = (function == "file-copy").then_some(file.as_str());
            let event = http_event(function, id, &person.token, Some(body));
            let event = with_header(event, "Idempotency-Key", "the same");
            Answered::of(&sandbox.invoke(&event).await.unwrap())
        };
        for _ in 0..3 {
            let made = ask("upload-create", &person, &upload).await;
            assert_eq!(made.status, 201, "{}", made.body);
        }
        assert_eq!(ask("folder-create", &person, &folder).await.status, 201);
        ask("token-create", &person, &token).await.has_to_wait(1..=3600);
        assert_eq!(ask("token-create", &other, &token).await.status, 201);
        ask("file-copy", &other, &copy).await.has_to_wait(1..=3600);
    })
    .await;
}

/// What is counted is what a search reads: one page of names, and what matches.
#[tokio::test]
async fn one_account_cannot_search_without_end() {
    within_one_hour(async || {
        let (person, other) = (Person::not_signed_in().await, Person::not_signed_in().await);
        person.store("a", None, &fresh(1)).await;
        let limit = [("SEARCH_READS_PER_HOUR", "4")];
        let mut sandbox = Sandbox::start_with("file-search", |_| Act::Pass, &limit).await;
        let mut search = async |person: &Person, words: &str| {
            let event = http_event("file-search", None, &person.token, None);
            let event = with_query(event, "q", words);
            Answered::of(&sandbox.invoke(&event).await.unwrap())
        };
        // Two, one and once more one.
        for (words, found) in [("A", 1), ("b", 0), ("b", 0)] {
            let answer = search(&person, words).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.body["items"].as_array().unwrap().len(), found);
        }
        search(&person, "a").await.has_to_wait(1..=3600);
        assert_eq!(search(&other, "a").await.status, 200);
    })
    .await;
}

/// Somebody who has got hold of a session cannot guess the password at leisure.
#[tokio::test]
async fn giving_the_password_once_more_has_its_waits_too() {
    let person = Person::not_signed_in().await;
    let guess = json!({ "current_password": "a wrong guess", "new_password": "whatever else" });
    wait_longer(async || {
        let answer = person.call("PUT", "/account/password", Some(&guess)).await;
        if answer.status == 429 {
            return Some(answer.header("retry-after").parse().unwrap());
        }
        answer.problem(403, "wrong_password");
        None
    })
    .await;
    let last = json!({ "current_password": PASSWORD });
    person
        .call("DELETE", "/account", Some(&last))
        .await
        .problem(429, "too_many_requests");
    // Its owner has another session, and does not notice.
    let owner = anonymous().with_token(person.sign_in().await.access_token);
    owner.change_password(PASSWORD, PASSWORD).await.unwrap();
}
