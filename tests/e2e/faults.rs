//! Remote calls of every function that writes, failing on a stack: what was begun is ended by one sweep, and nothing is lost, counted
//! twice or left behind. Each call fails in each way in the simulation (`crates/simulation/tests/faults`), and some of them here,
//! which shows that the functions meet here what they meet there.
//!
//! Nothing here knows which calls a function makes. A run without faults counts them; then they fail,
//! every time in a world of its own: an account or two, and contents that nobody else has. When all have failed,
//! one sweep looks at all of these worlds as if a long time had passed, and everything that must hold is checked. Then
//! everybody asks again, the deployed function this time, and it is checked once more.

mod account_deletion;
mod batches;
mod create;
mod finalize;
mod invitations;
mod parts;
mod prove;
mod sessions;
mod sites;
mod sweep;
mod trash;
mod tree;
mod versions;

use crate::harness::audit;
use crate::harness::person::Person;
use crate::harness::private_sweep::PrivateSweep;
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::Sandbox;
use crate::harness::stack::{root, stack};
use futures::future::join;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use sites::{Fault, Sites};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many worlds are made, harmed or checked at once by one test: a server that is too slow to answer makes the
/// others' calls fail, and those are not the faults that were asked for. How many tests do so at the same time says
/// `.config/nextest.toml`: each has a process of its own.
const AT_ONCE: usize = 4;
/// How many worlds are there besides whose functions wait for an answer which does not come, or until they may try again.
const WAITING: usize = 12;

/// Something that a function does. Each value is a world of its own to do it in.
trait Scenario: Sized {
    /// The function.
    const FUNCTION: &'static str;
    /// The least number of remote calls that it takes: a run that does nothing shows nothing.
    const CALLS: usize;

    /// A new world.
    async fn prepare() -> Self;

    /// Everybody in it.
    fn people(&self) -> Vec<&Person>;

    /// What the function is invoked with.
    fn event(&self) -> Value;

    /// By which words calls are told that are about this world. Empty: all are.
    fn about(&self) -> Vec<String> {
        Vec::new()
    }

    /// Looks at what the function answered. `failed`: one of its calls did.
    fn check_answer(&self, answer: &Value, failed: bool, what: &str);

    /// Makes everything due that a sweep has to end.
    async fn age(&self, sweep: &PrivateSweep) {
        for person in self.people() {
            sweep.take_uploads(person).await;
        }
    }

    /// Asks again, as a client without an answer would, and checks the result.
    async fn again(&self, what: &str);

    /// What is due for the function alone, if it is the sweep.
    fn sweep(&self) -> Option<&PrivateSweep> {
        None
    }

    /// The function, before it is invoked. What it leaves due is due for `leftovers` alone.
    async fn sandbox(
        &self,
        leftovers: &PrivateSweep,
        rule: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Sandbox {
        if let Some(sweep) = self.sweep() {
            return sweep.sandbox(rule).await;
        }
        let sandbox = Sandbox::start(Self::FUNCTION, rule).await;
        leftovers.take_what_is_written_by(&sandbox);
        sandbox
    }
}

/// Runs a function without faults, from its start, and returns the operations it called.
async fn unharmed<S: Scenario>() -> Vec<String> {
    let (world, sweep) = (S::prepare().await, PrivateSweep::new());
    let sites = Arc::new(Sites::new(world.about()));
    let counted = Arc::clone(&sites);
    let rule = move |seen: &Seen| {
        counted.number(seen);
        Act::Pass
    };
    let mut sandbox = world.sandbox(&sweep, rule).await;
    let answer = sandbox.invoke(&world.event()).await.expect("nobody killed it");
    world.check_answer(&answer, false, "without a fault");
    world.again("without a fault").await;
    sites.operations()
}

/// Runs a function with one fault, in a new world. Returns the world.
async fn harmed<S: Scenario>(fault: &Fault, leftovers: &PrivateSweep) -> S {
    let world = S::prepare().await;
    let sites = Arc::new(Sites::new(world.about()));
    let (counted, Fault { at, way, .. }) = (Arc::clone(&sites), fault.clone());
    let rule = move |seen: &Seen| match counted.number(seen) {
        // A failure that lasts; the others befall the first attempt only.
        Some(number) if number == at && (seen.attempt == 1 || way.lasts()) => way,
        _ => Act::Pass,
    };
    let mut sandbox = world.sandbox(leftovers, rule).await;
    let answer = sandbox.invoke(&world.event()).await;
    sandbox.proxy.go_and_wait().await;
    let what = format!("{}, {fault}", S::FUNCTION);
    let seen = sites.operations().len();
    assert!(seen >= at, "{what}: there were only {seen} calls, {answer:?}");
    match answer {
        Some(answer) => {
            assert!(!way.kills(), "{what}: killed, and answers {answer}");
            world.check_answer(&answer, true, &what);
        }
        None => assert!(
            way.kills() || fault.is_at_start(),
            "{what}: it died without being killed"
        ),
    }
    world
}

/// A scenario with a fault at every call, and what must hold afterwards.
async fn every_fault<S: Scenario>() {
    let calls = unharmed::<S>().await;
    println!("{}: {calls:?}", S::FUNCTION);
    assert!(calls.len() >= S::CALLS, "{calls:?}");
    let sweep = PrivateSweep::new();
    let faults = sites::a_few(sites::all(&calls));
    let (waiting, working): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| fault.way.makes_wait());
    let worlds = |faults: Vec<Fault>, at_once| {
        let world = async |fault| (harmed::<S>(&fault, &sweep).await, fault);
        let worlds = stream::iter(faults).map(world).buffer_unordered(at_once);
        worlds.collect::<Vec<_>>()
    };
    let (mut worlds, others) = join(worlds(working, AT_ONCE), worlds(waiting, WAITING)).await;
    worlds.extend(others);
    let each = stream::iter(&worlds);
    each.for_each_concurrent(AT_ONCE, async |(world, _)| world.age(&sweep).await)
        .await;
    sweep.run().await;
    let each = stream::iter(&worlds);
    each.for_each_concurrent(AT_ONCE, async |(world, fault)| {
        let what = format!("{}, {fault}", S::FUNCTION);
        audit::world(&world.people(), &format!("{what}, swept")).await;
        world.again(&what).await;
        audit::world(&world.people(), &format!("{what}, asked again")).await;
    })
    .await;
    println!("{}: {} faults", S::FUNCTION, worlds.len());
}

/// An HTTP answer's status.
fn status(answer: &Value) -> u64 {
    answer["statusCode"]
        .as_u64()
        .unwrap_or_else(|| panic!("no HTTP answer: {answer}"))
}

/// Looks whether an HTTP answer is the right one; or, if a call failed, one that does not blame the client for it.
fn check_status(answer: &Value, right: u64, failed: bool, others: &[u64], what: &str) {
    let status = status(answer);
    // The answer of a call may have got lost: then what was done is not known, and is said so or found out.
    let fits = status == right || failed && (status == 503 || others.contains(&status));
    assert!(fits, "{what}: {answer}");
}

/// What is answered besides where a transaction whose answer got lost is sent again: everywhere else it is known by its token,
/// and gets its answer; LocalStack does it once more, and its condition does not hold any more.
fn sent_again(status: &'static [u64]) -> &'static [u64] {
    if stack().is_localstack() { status } else { &[] }
}

/// Makes a test of every scenario, and a list of the functions that have one.
macro_rules! scenarios {
    ($($(#[$doc:meta])* $test:ident: $scenario:ty,)+) => {
        $($(#[$doc])* #[tokio::test] async fn $test() { every_fault::<$scenario>().await; })+

        const SCENARIOS: &[&str] = &[$(<$scenario as Scenario>::FUNCTION),+];
    };
}

scenarios! {
    an_account_that_is_made: tree::MakeAccount,
    an_invitation_that_is_made: invitations::Invite,
    a_password_that_is_set_by_a_code: invitations::ResetPassword,
    somebody_who_signs_in: sessions::SignIn,
    a_token_that_is_exchanged: sessions::Refresh,
    somebody_who_signs_out: sessions::SignOut,
    a_session_that_is_revoked: sessions::Revoke,
    somebody_who_signs_out_everywhere: sessions::SignOutEverywhere,
    a_password_that_is_changed: sessions::ChangePassword,
    a_personal_token_that_is_made: sessions::MakeToken,
    a_personal_token_that_is_ended: sessions::EndToken,
    an_account_that_is_deleted: account_deletion::Close,
    a_quota_that_is_set: tree::SetQuota,
    a_role_that_is_set: tree::SetRole,
    an_upload_that_is_created: create::New,
    a_challenge_that_is_answered: prove::Right,
    a_look_at_an_upload_whose_parts_the_store_lost: parts::ListParts,
    parts_that_are_signed: parts::Sign,
    an_upload_that_is_aborted: parts::Abort,
    a_finalize_of_new_content: finalize::NewContent,
    a_folder_that_is_made: tree::MakeFolder,
    a_folder_that_is_moved: tree::MoveFolder,
    a_file_that_is_copied: tree::CopyFile,
    files_and_folders_that_are_moved: batches::Move,
    a_file_that_is_deleted: tree::DeleteFile,
    a_folder_that_is_restored: trash::Restore,
    a_trash_that_is_emptied: trash::Empty,
    a_version_that_is_restored: versions::Restore,
    a_version_that_is_kept: versions::Keep,
    a_version_that_is_removed: versions::Delete,
    a_sweep_that_takes_a_finalize_over: sweep::TakeOver,
    a_sweep_that_reclaims: sweep::blobs::Reclaim,
}

/// The functions that no scenario is about although they write, and where their faults are.
const ELSEWHERE: [(&str, &str); 3] = [
    ("reconcile", "reconcile.rs"),
    ("replicate", "chaos/each_call.rs, real_ceph/faults.rs"),
    ("target-redrive", "redrive.rs"),
];

/// What makes an IAM action one that writes, as the template grants them.
const WRITING: [&str; 7] = [
    "dynamodb:Put",
    "dynamodb:Update",
    "dynamodb:Delete",
    "dynamodb:BatchWrite",
    "s3:Put",
    "s3:Delete",
    "sqs:Send",
];

/// The part of the template that is about a function.
fn template_of<'t>(template: &'t str, function: &str) -> &'t str {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let logical: String = function.split('-').map(capital).collect();
    let (_, rest) = template
        .split_once(&format!("\n  {logical}Function:\n"))
        .unwrap_or_else(|| panic!("{function} is not in the template"));
    let end = rest
        .match_indices("\n  ")
        .find(|(at, _)| rest[at + 3..].starts_with(|c: char| c.is_ascii_alphabetic()));
    end.map_or(rest, |(at, _)| &rest[..at])
}

/// Whatever is deployed and may write is in a scenario.
#[test]
fn every_function_that_writes_has_a_scenario() {
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let covered: BTreeSet<&str> = SCENARIOS.iter().copied().collect();
    let elsewhere = ELSEWHERE.map(|(function, _)| function);
    let (mut readers, mut writers) = (0, 0);
    for function in stack().functions.keys() {
        let about = template_of(&template, function);
        if WRITING.iter().any(|action| about.contains(action)) {
            writers += 1;
            // What is asked for a file's bytes marks a blob as lost that the reconciler would, too: failover.rs.
            let only_reads = wire::endpoint(function).is_some_and(|endpoint| endpoint.method == "GET");
            assert!(
                only_reads || covered.contains(&function.as_str()) || elsewhere.contains(&function.as_str()),
                "{function} may write, and nothing shows what happens when its calls fail: give it a Scenario in \
                 tests/e2e/faults/ and a line in `scenarios!` here"
            );
        } else {
            readers += 1;
        }
    }
    for function in covered {
        assert!(
            stack().functions.contains_key(function),
            "{function} is not deployed"
        );
    }
    assert!(readers >= 5 && writers >= 9, "{readers} read, {writers} write");
}
