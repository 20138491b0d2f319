//! What several requests at once must not get, though each of them alone may.

use crate::seen;
use bytes::Bytes;
use futures::future::{join, join_all};
use serde_json::{Value, json};
use simulation::audit::Audit;
use simulation::cloud::{Conditions, Latency};
use simulation::gateway::{self, Request, Response};
use simulation::lambda::Outcome;
use simulation::person::{PASSWORD, Person};
use simulation::world::{World, run_with};
use std::time::Duration;
use tokio::time::timeout;

/// Lives with a condition dropped, or with all of them. Returns what goes wrong in the first world in which anything does.
pub(crate) type Race = fn(without: Option<&str>) -> Option<String>;

/// How many requests are sent at once.
const AT_ONCE: usize = 20;
/// How many of them a limit of these worlds lets through.
const LIMIT: usize = 3;
/// How many worlds are lived.
const WORLDS: u64 = 3;
/// How many there are for something to go wrong in.
const MORE_WORLDS: u64 = 20;
/// How many wrong passwords are looked at within a second.
const GUESSES: usize = 10;
const ANOTHER_PASSWORD: &str = "another horse battery";

/// The worlds have the parameters and, among slow requests and answers, others that overtake them.
fn lived(
    without: Option<&str>,
    parameters: &[(&str, &str)],
    race: &impl AsyncFn(&World) -> Option<String>,
) -> Option<String> {
    // With all conditions every one of them is lived; without one, until something goes wrong.
    let worlds = if without.is_some() { MORE_WORLDS } else { WORLDS };
    (0..worlds).find_map(|seed| {
        run_with(seed, parameters, async |world| {
            // It writes the table's format.
            let _ = world.invoke("sweep", json!({})).await;
            if let Some(condition) = without {
                world.cloud.drop_conditions(Conditions::without(condition));
            }
            let slow = if seed % 2 == 0 { 0 } else { 300 };
            world.cloud.set_latency(Latency::Uneven(slow));
            // Where something is broken, clients may ask for ever.
            let raced = timeout(Duration::from_mins(5), race(world)).await;
            if without.is_none() {
                seen::note(world);
            }
            raced.unwrap_or_else(|_| Some("somebody waits for ever".to_owned()))
        })
    })
}

/// Not more than `most` of the answers have this status.
fn at_most(most: usize, status: u16, answers: &[Response]) -> Option<String> {
    let count = answers.iter().filter(|answer| answer.status == status).count();
    (count > most).then(|| format!("{count} answers with {status}, {most} at most were to be"))
}

async fn at_once(world: &World, requests: impl IntoIterator<Item = Request>) -> Vec<Response> {
    let requests: Vec<_> = requests.into_iter().collect();
    join_all(
        requests
            .iter()
            .map(|request| gateway::send(&world.lambda, request)),
    )
    .await
}

/// After a second somebody may try again.
async fn within_a_second(world: &World, requests: impl IntoIterator<Item = Request>) -> Vec<Response> {
    world.cloud.set_latency(Latency::Random);
    at_once(world, requests).await
}

fn post(path: &str, body: Value) -> Request {
    Request {
        method: "POST",
        path: path.to_owned(),
        body: Some(body),
        ..Request::default()
    }
}

fn sign_in(username: &str, password: &str) -> Request {
    post(
        "/v1/sessions",
        json!({ "username": username, "password": password }),
    )
}

async fn ann(world: &World) -> Person<'_> {
    Person::sign_up(world, "ann").await.expect("an account")
}

/// One source makes so many accounts in an hour.
pub(crate) fn accounts_of_a_source(without: Option<&str>) -> Option<String> {
    lived(without, &[("AccountsPerHourAndSource", "3")], &async |world| {
        let sign_up = |number| {
            let body = json!({ "username": format!("user-{number}"), "password": PASSWORD });
            post("/v1/accounts", body)
        };
        at_most(LIMIT, 201, &at_once(world, (0..AT_ONCE).map(sign_up)).await)
    })
}

/// Sign-ins by one name from an unknown address are limited for each hour.
pub(crate) fn sign_ins_by_a_name(without: Option<&str>) -> Option<String> {
    lived(without, &[("SignInsPerHourAndAccount", "3")], &async |world| {
        let all = (0..AT_ONCE).map(|_| sign_in("nobody", PASSWORD));
        at_most(LIMIT, 401, &at_once(world, all).await)
    })
}

/// An account makes so many things in an hour.
pub(crate) fn creates_of_an_account(without: Option<&str>) -> Option<String> {
    lived(without, &[("CreatesPerHour", "3")], &async |world| {
        let ann = ann(world).await;
        let make = |number| {
            let body = json!({ "name": format!("folder-{number}") });
            ann.request("POST", "/v1/folders", Some(body))
        };
        at_most(LIMIT, 201, &at_once(world, (0..AT_ONCE).map(make)).await)
    })
}

/// Of many wrong passwords only ten are looked at before somebody has to wait.
pub(crate) fn guesses(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        ann(world).await;
        at_most(GUESSES, 401, &within_a_second(world, guesses_at("ann")).await)
    })
}

/// The same where nobody has tried before.
pub(crate) fn first_guesses(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        at_most(GUESSES, 401, &within_a_second(world, guesses_at("nobody")).await)
    })
}

fn guesses_at(username: &str) -> impl Iterator<Item = Request> {
    (0..AT_ONCE).map(move |number| sign_in(username, &format!("a wrong password {number}")))
}

/// The same of somebody who is signed in, and has to say the password once more.
pub(crate) fn guesses_of_a_password_once_more(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        let ann = ann(world).await;
        let guess = |number| {
            let body = json!({ "current_password": format!("a wrong password {number}") });
            ann.request("DELETE", "/v1/account", Some(body))
        };
        let answers = within_a_second(world, (0..AT_ONCE).map(guess)).await;
        at_most(GUESSES, 403, &answers).or_else(|| at_most(GUESSES, 401, &answers))
    })
}

/// The password until now is good for one more: that of two new ones which is first.
pub(crate) fn two_new_passwords(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        let ann = ann(world).await;
        let change = |number| {
            let new = format!("{ANOTHER_PASSWORD} {number}");
            let body = json!({ "current_password": PASSWORD, "new_password": new });
            ann.request("PUT", "/v1/account/password", Some(body))
        };
        at_most(1, 204, &at_once(world, (0..AT_ONCE).map(change)).await)
    })
}

/// The password until now deletes the account, or gets it another one.
pub(crate) fn a_new_password_for_a_deleted_account(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        let ann = ann(world).await;
        let change = json!({ "current_password": PASSWORD, "new_password": ANOTHER_PASSWORD });
        let change = ann.request("PUT", "/v1/account/password", Some(change));
        let delete = json!({ "current_password": PASSWORD });
        let delete = ann.request("DELETE", "/v1/account", Some(delete));
        at_most(1, 204, &at_once(world, [change, delete]).await)
    })
}

/// Folders are deleted while a file is put into each.
pub(crate) fn files_in_a_folder_that_goes(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        let (ann, bytes) = (ann(world).await, Bytes::from_static(b"x"));
        let both = (0..AT_ONCE).map(async |number| {
            let body = json!({ "name": format!("folder-{number}") });
            let made = ann.call("POST", "/v1/folders", Some(body)).await;
            let folder = made.body["id"].as_str().expect("a folder").to_owned();
            let upload = ann.begin("a", Some(&folder), &bytes, false, "fail").await;
            let upload = upload.body["id"].as_str().expect("an upload").to_owned();
            ann.send_parts(&upload, &bytes).await.expect("its part");
            join(ann.complete(&upload), ann.remove(&folder)).await
        });
        join_all(both).await;
        broken(world, "in no folder")
    })
}

/// A code is good once.
pub(crate) fn an_invitation(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        let Outcome::Answered(made) = world
            .invoke("account-invite", json!({ "action": "create" }))
            .await
        else {
            return Some("no code".to_owned());
        };
        let sign_up = |number| {
            let username = format!("user-{number}");
            let body = json!({ "username": username, "password": PASSWORD, "invitation": made["code"] });
            post("/v1/accounts", body)
        };
        at_most(1, 201, &at_once(world, (0..AT_ONCE).map(sign_up)).await)
    })
}

/// Of many who end the same session one is told that they did.
pub(crate) fn ends_of_a_session(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        let ann = ann(world).await;
        ann.sign_in().await.expect("a session");
        let listed = ann.call("GET", "/v1/sessions", None).await;
        let mut others = listed.body["items"].as_array().expect("sessions").iter();
        let other = others.find(|session| session["current"] == false);
        let id = other.expect("another")["id"].as_str().expect("an id").to_owned();
        let end = |_| ann.request("DELETE", format!("/v1/sessions/{id}"), None);
        at_most(1, 204, &at_once(world, (0..AT_ONCE).map(end)).await)
    })
}

/// The same of a token.
pub(crate) fn ends_of_a_token(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        let ann = ann(world).await;
        let new = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
        let made = ann.call("POST", "/v1/tokens", Some(new)).await;
        let id = made.body["id"].as_str().expect("a token").to_owned();
        let end = |_| ann.request("DELETE", format!("/v1/tokens/{id}"), None);
        at_most(1, 204, &at_once(world, (0..AT_ONCE).map(end)).await)
    })
}

/// Whichever limit is set last: what is free fits it.
pub(crate) fn quotas(without: Option<&str>) -> Option<String> {
    lived(without, &[], &async |world| {
        ann(world).await;
        let set = |number: u64| {
            let event = json!({ "username": "ann", "quota_bytes": 1_000_000 + number });
            world.invoke("account-set-quota", event)
        };
        join_all((0..6).map(set)).await;
        broken(world, "bytes in files")
    })
}

/// What does not hold, if it has this in it.
fn broken(world: &World, what: &str) -> Option<String> {
    let broken = Audit::of(world).check();
    broken.into_iter().find(|broken| broken.contains(what))
}
